package service

import (
	"net/http"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/dialect/chip"
	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// dialects are the front doors of all providers.
type dialects struct {
	smartglocal *smartglocal.Door
	ping        *ping.Door
	chip        *chip.Door
	primer      *primer.Door
}

func newDialects(config dialect.Config) dialects {
	return dialects{smartglocal.New(config), ping.New(config), chip.New(config), primer.New(config)}
}

// dialectDoors names the front doors of all providers.
var dialectDoors = []payment.Door{
	smartglocal.SmartGlocal.Door(), smartglocal.Pike.Door(), ping.Name, chip.Name, primer.Name,
}

// registrar mounts a front door at its provider's paths.
type registrar interface{ Register(mux *http.ServeMux) }

// at returns which front door answers below each name.
func (d dialects) at() map[string]registrar {
	return map[string]registrar{
		"smartglocal": d.smartglocal, "pike": d.smartglocal, "ping": d.ping, "chip": d.chip, "primer": d.primer,
	}
}

// register mounts all front doors on one port, each at its provider's own
// paths, and also below its own name. Smart Glocal and CHIP share a root: what
// CHIP does not list below it is Smart Glocal's for a caller who names a
// project, and CHIP's for any other.
func (d dialects) register(mux *http.ServeMux) {
	d.ping.Register(mux)
	d.primer.Register(mux)
	smartglocalOnly, chipOnly := http.NewServeMux(), http.NewServeMux()
	d.smartglocal.Register(smartglocalOnly)
	d.chip.Register(chipOnly)
	shared := func(w http.ResponseWriter, r *http.Request) {
		path := dialect.Path(r)
		if smartglocal.Lists(path) || r.Header.Get(smartglocal.HeaderProject) != "" && !chip.Lists(path) {
			smartglocalOnly.ServeHTTP(w, r)
			return
		}
		chipOnly.ServeHTTP(w, r)
	}
	mux.HandleFunc("/api/v1", shared)
	mux.HandleFunc("/api/v1/", shared)
	mux.Handle("/api/v2", smartglocalOnly)
	mux.Handle("/api/v2/", smartglocalOnly)
	mux.Handle(smartglocal.PayerPath, smartglocalOnly)
	mux.Handle(chip.PayerPath, chipOnly)
	mux.Handle(strings.TrimSuffix(chip.PayerPath, "/"), chipOnly)
	withoutSlash(mux, "/v1/")
	for name, door := range d.at() {
		inner := http.NewServeMux()
		door.Register(inner)
		mux.Handle("/"+name+"/", http.StripPrefix("/"+name, inner))
		withoutSlash(mux, "/"+name+"/")
	}
}

// withoutSlash mounts a root without its slash too, lest the mux redirect to
// it: a redirected POST loses its body.
func withoutSlash(mux *http.ServeMux, root string) {
	mux.HandleFunc(strings.TrimSuffix(root, "/"), func(w http.ResponseWriter, r *http.Request) {
		to, request := *r.URL, *r
		to.Path, to.RawPath = root, ""
		request.URL = &to
		mux.ServeHTTP(w, &request)
	})
}

// voices returns how each front door tells events.
func (d dialects) voices() []webhook.Voice {
	return slices.Concat(d.smartglocal.Voices(), d.ping.Voices(), d.chip.Voices(), d.primer.Voices())
}

// credentials returns how what callers prove who they are with is made.
func (d dialects) credentials() map[auth.Kind]api.MakeCredential {
	return map[auth.Kind]api.MakeCredential{
		smartglocal.KindProject:  d.smartglocal.MakeCredential,
		ping.KindSecret:          d.ping.MakeCredential,
		chip.KindKey:             d.chip.MakeCredential,
		primer.KindKey:           d.primer.MakeCredential,
		primer.KindWebhookSecret: d.primer.MakeWebhookSecret,
	}
}

// imports returns how each front door reads what it must know of a payment
// that was made elsewhere.
func imports() map[payment.Door]api.ImportDocument {
	return map[payment.Door]api.ImportDocument{
		smartglocal.SmartGlocal.Door(): smartglocal.ImportDocument(smartglocal.SmartGlocal),
		smartglocal.Pike.Door():        smartglocal.ImportDocument(smartglocal.Pike),
		ping.Name:                      ping.ImportDocument,
		chip.Name:                      chip.ImportDocument,
		primer.Name:                    primer.ImportDocument,
	}
}

// aliasKinds lists the kinds of alias by which a payment may be named that was
// made elsewhere.
func aliasKinds() []string {
	return slices.Concat(smartglocal.AliasKinds(), ping.AliasKinds(), chip.AliasKinds(), primer.AliasKinds(),
		[]string{payment.ShortAlias})
}

// reports are what providers report, by name.
func (s *Service) reports() map[string]api.Report {
	reports := map[string]api.Report{}
	for _, brand := range []smartglocal.Brand{smartglocal.SmartGlocal, smartglocal.Pike} {
		reports[string(brand)] = api.Report{
			Doc:     "Successful operations of the time at this front door, as the provider's daily payments report has them.",
			Columns: smartglocal.ReportColumns, Write: s.dialects.smartglocal.Report(brand, s.store),
		}
	}
	return reports
}

// persons says what doors keep about payers beside payments.
func persons() map[payment.Door]api.Persons {
	return map[payment.Door]api.Persons{chip.Name: chip.Persons}
}

// rests says what of doors' documents stays when a payment is erased.
func rests() []api.Rest {
	return []api.Rest{
		smartglocal.Rest(smartglocal.SmartGlocal), smartglocal.Rest(smartglocal.Pike), ping.Rest, chip.Rest, primer.Rest,
	}
}
