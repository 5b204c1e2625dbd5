package servicecenter

import (
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
)

// There are no codes, only texts; they are matched by their beginnings and
// without regard to case (facts.md 6).

// foreignTexts are the three public texts about intellectual property, and the
// category of the third.
func foreignTexts() []string {
	return []string{
		"invalid intellectual property:",
		"intellectual property error:",
		"foreign module error",
		"your outsystems subscription only allows uploading modules developed in your environment",
	}
}

// otherServerTexts say that a license is for another server.
func otherServerTexts() []string {
	return []string{
		"the license found is not valid for this server because it was issued to a server with serial number",
		"your license is invalid as it was issued for a different server",
	}
}

// licensingTexts say that the license does not allow a publish; no waiting
// changes that.
func licensingTexts() []string {
	return []string{
		"no license was found for this server",
		"the license found is not valid for this server",
		"this server license has expired",
		"this server is consuming more resources than allowed by its license",
		"cannot perform the operation.",
		"you cannot publish more modules because you reached the limit",
	}
}

// lockText says that another publish is under way (facts.md 3.4).
const lockText = "your module is currently being locked by another operation"

// permissionWords are in a text that plainly speaks of an account's rights. No
// such text is public; the service description only says that there are some
// (facts.md 3.1).
func permissionWords() []string {
	return []string{"permission", "not authorized", "access denied", "username or password", "invalid credentials"}
}

// refusal is what the reason of a refused upload means.
func refusal(text string) *adapters.Condition {
	switch {
	case begins(text, otherServerTexts()...):
		return adapters.ErrWrongEnvironment
	case begins(text, lockText):
		return adapters.ErrBusy
	case aboutPermission(text):
		return adapters.ErrPermission
	}
	return adapters.ErrRejected
}

// begins reports whether text begins with one of the prefixes, which are in
// lower case.
func begins(text string, prefixes ...string) bool {
	text = folded(text)
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
}

func aboutPermission(text string) bool {
	text = folded(text)
	return slices.ContainsFunc(permissionWords(), func(w string) bool { return strings.Contains(text, w) })
}

// folded is the beginning of text in lower case, with single spaces: the texts
// come out of pages and are wrapped.
func folded(text string) string {
	const enough = 4000
	if len(text) > enough {
		text = text[:enough]
	}
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}
