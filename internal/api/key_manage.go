package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// MakeCredential makes a credential of a front door's own kind for a tenant,
// under an id, from the request's body. It is written afterwards. Shown is what
// its owner may be told this once: public keys, secrets.
type MakeCredential func(ctx context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (credential auth.Credential, shown map[string]string, err error)

func (a *API) keyOperations() []operation {
	one := []openapi.Parameter{pathID(keyID)}
	return []operation{
		{
			method: "GET", path: "/v1/keys", id: "listKeys", tag: tagOperators, summary: "List keys",
			doc: "Credentials of all kinds, the revoked ones too, without their secrets.", access: forOperators,
			parameters: []openapi.Parameter{inQuery("unused_days", whole(1, unusedDaysMax, 90),
				"Only valid keys by which callers prove who they are, and that nobody has used for so many days.")},
			answers: ok("The keys.", all("KeyList", "keys", keySchema)), serve: a.listKeys,
		},
		{
			method: "POST", path: "/v1/keys", id: "createKey", tag: tagOperators, summary: "Make a key",
			doc: "What is secret of it is shown this once. Without `scopes`, a key of our own API may do everything that a " +
				"merchant may.",
			access: forOperators, body: keyRequest, answers: created("The key.", keyMade), codes: []code{codeConflict},
			serve: a.createKey,
		},
		{
			method: "GET", path: "/v1/keys/{id}", id: "getKey", tag: tagOperators, summary: "Read a key", access: forOperators,
			parameters: one, answers: ok("The key, without its secret.", keySchema), serve: a.getKey,
		},
		{
			method: "PATCH", path: "/v1/keys/{id}", id: "changeKey", tag: tagOperators,
			summary: "Rename a key, or change its scopes",
			doc:     "Members that are absent stay as they are. What it may do from now on holds everywhere within a second.",
			access:  forOperators, parameters: one, body: keyChange, answers: ok("The key, as it is now.", keySchema),
			codes: []code{codeConflict}, serve: a.changeKey,
		},
		{
			method: "DELETE", path: "/v1/keys/{id}", id: "revokeKey", tag: tagOperators, summary: "Revoke a key",
			doc: "It is never valid again, everywhere within a second.", access: forOperators,
			parameters: one, answers: nothing("It is revoked."), serve: a.revokeKey,
		},
	}
}

// listKeys shows a tenant's credentials of all kinds, without their secrets.
func (a *API) listKeys(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	keys, err := a.config.Auth.Credentials(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	if text := r.URL.Query().Get("unused_days"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > unusedDaysMax {
			return wrongParameter("unused_days", "must be a whole number from 1 to "+strconv.Itoa(unusedDaysMax))
		}
		since := a.config.Now().AddDate(0, 0, -days)
		keys = slices.DeleteFunc(keys, func(key auth.Credential) bool { return !a.isCallers(key) || !key.UnusedSince(since) })
	}
	list(w, "keys", keys, func(to *writer, key auth.Credential) {
		to.begin("")
		showKey(to, key)
		to.end()
	})
	return nil
}

// unusedDaysMax is ten years.
const unusedDaysMax = 3660

// isCallers reports whether a key is one by which callers prove who they are, and
// not one by which we do.
func (a *API) isCallers(key auth.Credential) bool {
	_, isDoors := a.config.Credentials[key.Kind]
	return isDoors && !slices.Contains(a.config.SignatureKinds, key.Kind) || key.Kind == auth.KindAPIKey
}

// keyMembers are what showKey writes.
var keyMembers = []openapi.Member{
	must("id", keyID, ""),
	must("kind", &openapi.Schema{Type: openapi.String, Example: "api_key"}, "`api_key`, or a front door's own kind."),
	may("name", someText, "For people."),
	may("lookup", someText, "By what a front door knows it."),
	may("scopes", listOf(someScope), "What a key of our own API may do. Absent: everything."),
	may("public", &openapi.Schema{}, "What is not secret of a front door's own kind."),
	must("created_at", someTime, ""),
	may("revoked_at", someTime, "Absent: it is valid."),
	may("last_used_at", someTime, "The beginning of the UTC day on which somebody last proved to hold it. Absent: never since "+
		"this is noted, or it is one of ours."),
}

var keySchema = shown("Key", "How a caller proves who it is.", keyMembers...)

// keyMade is a key with what its owner is told this once.
var keyMade = shown("KeyWithSecret", "A key, and what its owner is told this once. Front doors' own kinds have other members.",
	append(slices.Clone(keyMembers), may("key", &openapi.Schema{Type: openapi.String, Example: "rfk_…"}, "Of our own API."))...)

var someScope = someWord("Scope", "What a key may do.", allScopes...)

// showKey writes the members of a credential.
func showKey(w *writer, key auth.Credential) {
	named(w, "id", key.ID)
	w.string("kind", string(key.Kind))
	w.maybe("name", key.Name)
	if key.Kind == auth.KindAPIKey { // its lookup is a digest, of no use to anybody
		showScopes(w, scopes(key.Public))
		key.Public = ""
	} else {
		w.maybe("lookup", key.Lookup)
	}
	if _, err := wire.Parse([]byte(key.Public)); err == nil {
		w.raw("public", key.Public)
	} else {
		w.maybe("public", key.Public)
	}
	w.time("created_at", key.CreatedAt)
	w.time("revoked_at", key.RevokedAt)
	w.time("last_used_at", key.LastUsedAt)
}

func showScopes(w *writer, of scopes) {
	if of == "" {
		return
	}
	w.beginList("scopes")
	for word := range strings.FieldsSeq(string(of)) {
		w.string("", word)
	}
	w.endList()
}

// keyRequest is what createKey reads.
var keyRequest = &openapi.Schema{
	Name: "KeyRequest", Doc: "A key that is made.", AnyOf: []*openapi.Schema{apiKeyRequest, doorKeyRequest},
}

// apiKeyRequest is what createAPIKey reads.
var apiKeyRequest = taken("APIKeyRequest", "A key of our own API.",
	may("kind", &openapi.Schema{
		Type: openapi.String, IsNullable: true, Words: []string{string(auth.KindAPIKey), ""}, Example: string(auth.KindAPIKey),
	}, "`api_key`, unless it is named."),
	may("name", anyText(tenantNameMax, "web shop"), "For people."),
	may("scopes", scopesRequest, "What it may do; everything that a merchant may, unless they are named."),
)

var scopesRequest = &openapi.Schema{
	Type: openapi.Array, IsNullable: true, Items: someScope, ItemsMin: 1, ItemsMax: len(allScopes),
	Example: []string{"refunds:write"},
}

// keyChange is what changeKey reads.
var keyChange = taken("KeyChange", "What is to change of a key.",
	may("name", anyText(tenantNameMax, "web shop"), "For people."),
	may("scopes", scopesRequest, "What it may do, instead of what it may now. Of keys of our own API only."),
)

// doorKeyRequest is what a [MakeCredential] reads, besides members of its own.
var doorKeyRequest = shown("DoorKeyRequest", "A key of a front door's own kind, which has members of its own.",
	must("kind", &openapi.Schema{
		Type: openapi.String, LengthMax: nameMax, Not: &openapi.Schema{Words: []string{string(auth.KindAPIKey), ""}},
	}, "As in `project`."),
)

// createKey makes a credential. What is secret of it is shown this once.
func (a *API) createKey(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	kind := auth.Kind(in.text("kind", nameMax))
	var key auth.Credential
	var shown map[string]string
	maker, known := a.config.Credentials[kind]
	switch {
	case kind == auth.KindAPIKey || kind == "":
		key, shown, err = a.createAPIKey(r, caller, in)
	case known:
		if key, shown, err = maker(r.Context(), a.config.NewID(), caller.Tenant, in.value); err == nil {
			key, err = a.config.Auth.PutCredential(r.Context(), by(r, caller), key)
		}
	default:
		in.wrong("kind", "is not a kind of key that is known")
		err = in.err()
	}
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	showKey(to, key)
	for _, name := range sortedKeys(shown) {
		to.string(name, shown[name])
	}
	to.end()
	write(w, http.StatusCreated, false, to.text)
	return nil
}

func (a *API) createAPIKey(r *http.Request, caller auth.Identity, in object,
) (auth.Credential, map[string]string, error) {
	in.only(apiKeyRequest.Members)
	name, may := in.text("name", tenantNameMax), in.scopes("scopes")
	if err := in.err(); err != nil {
		return auth.Credential{}, nil, err
	}
	key := auth.NewAPIKey(a.config.Random)
	credential, err := a.config.Auth.PutCredential(r.Context(), by(r, caller), auth.Credential{
		Tenant: caller.Tenant, Kind: auth.KindAPIKey, Lookup: auth.Digest(key), Name: name, Public: string(may),
	})
	return credential, map[string]string{"key": key.Reveal()}, err
}

// getKey shows a credential, without its secret.
func (a *API) getKey(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id auth.CredentialID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("key")
	}
	key, err := a.config.Auth.Key(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	writeKey(w, key)
	return nil
}

func writeKey(w http.ResponseWriter, key auth.Credential) {
	to := newWriter()
	to.begin("")
	showKey(to, key)
	to.end()
	write(w, http.StatusOK, false, to.text)
}

// changeKey renames a credential, or changes what it may do.
func (a *API) changeKey(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(keyChange.Members)
	name, may := in.text("name", tenantNameMax), in.scopes("scopes")
	var id auth.CredentialID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("key")
	}
	key, err := a.config.Auth.ChangeKey(r.Context(), by(r, caller), caller.Tenant, id, func(key *auth.Credential) error {
		if in.value.Get("name").IsGiven() {
			key.Name = name
		}
		if in.value.Get("scopes").IsGiven() {
			if key.Kind != auth.KindAPIKey {
				in.wrong("scopes", "is of keys of our own API only")
			}
			key.Public = string(may)
		}
		return in.err()
	})
	if err != nil {
		return err
	}
	writeKey(w, key)
	return nil
}

// revokeKey ends a credential.
func (a *API) revokeKey(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id auth.CredentialID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("key")
	}
	if err := a.config.Auth.Revoke(r.Context(), by(r, caller), caller.Tenant, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
