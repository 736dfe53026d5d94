package audit

import (
	"context"
	"encoding/hex"

	"github.com/refundry/refundry/internal/store/row"
)

// Difference is a commit about which a file says something else than the chain.
type Difference struct {
	Number int64
	What   string
}

const (
	isOther   = "the commit is not the one that the checkpoint is of"
	isLeftOut = "the commit is left out of the export"
)

// Prove compares what a file says of the chain with the chain itself, and
// returns what differs. The file must have been found clean. Of an export, it
// finds commits that were left out, too.
func Prove(ctx context.Context, store Checkpoints, file Checked) (differ []Difference, err error) {
	if len(file.Anchors) == 0 {
		return nil, nil
	}
	p := prover{rest: file.Anchors, isExport: file.First > 0}
	first, last := file.Anchors[0].Number, file.Anchors[len(file.Anchors)-1].Number
	if p.isExport {
		first = min(first, file.First)
	}
	for after := first - 1; after < last; {
		links, err := store.Links(ctx, after, last, partsPage)
		if err != nil || len(links) == 0 {
			p.pass(last + 1)
			return p.differ, err
		}
		for _, l := range links {
			p.compare(l)
		}
		after = links[len(links)-1].Number
	}
	p.pass(last + 1)
	return p.differ, nil
}

// prover goes through a file and the chain side by side.
type prover struct {
	rest     []Anchor // that come yet
	isExport bool
	differ   []Difference
}

// pass leaves anchors behind whose commits are not in the chain.
func (p *prover) pass(before int64) {
	for len(p.rest) > 0 && p.rest[0].Number < before {
		p.differ = append(p.differ, Difference{p.rest[0].Number, isOther})
		p.rest = p.rest[1:]
	}
}

// compare compares what the file says of a commit with the commit.
func (p *prover) compare(l row.Link) {
	p.pass(l.Number)
	if len(p.rest) == 0 {
		return
	}
	tenant, isThere := p.rest[0].Tenant, false
	for len(p.rest) > 0 && p.rest[0].Number == l.Number {
		isThere = isThere || p.rest[0].IsCommit
		if !p.rest[0].isOf(l) {
			p.differ = append(p.differ, Difference{l.Number, isOther})
		}
		p.rest = p.rest[1:]
	}
	if p.isExport && !isThere && l.DigestOf(tenant) != nil {
		p.differ = append(p.differ, Difference{l.Number, isLeftOut})
	}
}

// isOf reports whether a file says of a commit what is so.
func (a Anchor) isOf(l row.Link) bool {
	return a.Hash == hex.EncodeToString(l.Hash[:]) && a.Digest == hex.EncodeToString(l.DigestOf(a.Tenant)) &&
		a.At == row.Time(l.At).Format(timeFormat)
}
