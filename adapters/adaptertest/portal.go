package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A LicensePortalHarness is what [TestLicensePortal] needs to know and to do.
type LicensePortalHarness struct {
	System

	// Portal is the adapter under test. Every clause needs it.
	Portal adapters.LicensePortal

	// Env is an environment whose serial number is registered under Registered
	// and not under Unregistered. Every clause needs it.
	Env environment.Environment

	// Registered is an activation code under which the portal issues license
	// files for Env. Every clause needs it.
	Registered license.ActivationCode

	// Unregistered is an activation code under which neither Env nor Other is
	// registered, and which has a free slot for each of them. The clauses about
	// serial numbers that are not found, and about registering, need it.
	Unregistered license.ActivationCode

	// Other is a second environment like Env, of whatever kind. It is for the
	// clause about calls for different environments.
	Other environment.Environment

	// OneEnvironment declares that there is no Other.
	OneEnvironment bool

	// CannotRegister declares that RegisterSerial must not be called, because
	// nobody could undo it, or answers ErrUnsupported. It skips the clauses
	// about registering.
	CannotRegister bool

	// FreeSlots tells, past the adapter, how many slots for Env's kind are
	// free under Unregistered. It is for the clauses that count slots; nil is
	// an inability.
	FreeSlots func() int

	// RemoveSlots takes away every free slot for Env's kind under
	// Unregistered. It is for the clause about ErrNoSlot; nil is an inability.
	RemoveSlots func()

	// Inspect reads what a license file says of itself; nil is
	// license.Inspect. Set it if the portal's files have a structure that
	// license.Inspect does not know: of a file that answers license.ErrOpaque
	// the clauses check only that there is one.
	Inspect func(license.File) (license.Details, error)
}

func (h LicensePortalHarness) incomplete() error {
	var r required
	r.field("Portal", h.Portal != nil)
	r.field("Env", h.Env.Name != "" && h.Env.Serial != "")
	r.field("Registered", !h.Registered.IsZero())
	r.field("Unregistered", !h.Unregistered.IsZero())
	r.unless("OneEnvironment", h.OneEnvironment, "Other", h.Other.Name != "" && h.Other.Serial != "")
	return r.err()
}

// TestLicensePortal checks that a [adapters.LicensePortal] keeps its contract.
// It calls newHarness once for every clause.
func TestLicensePortal(t *testing.T, newHarness func(t *testing.T) LicensePortalHarness) {
	test(t, licensePortalClauses(), newHarness)
}

func (h LicensePortalHarness) cannotRegister() string {
	return declared("CannotRegister", h.CannotRegister)
}

func (h LicensePortalHarness) cannotCount() string {
	return declared("FreeSlots (nil)", h.FreeSlots == nil)
}

// registered checks what SerialRegistered reports for Env.
func (h LicensePortalHarness) registered(ctx context.Context, code license.ActivationCode, want bool) error {
	got, err := h.Portal.SerialRegistered(ctx, code, h.Env)
	if err != nil {
		return success("SerialRegistered", err)
	}
	if got != want {
		return fmt.Errorf("SerialRegistered reports %v, want %v", got, want)
	}
	return nil
}

// fetched checks that FetchLicense gives the file of env under code.
func (h LicensePortalHarness) fetched(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	file, err := h.Portal.FetchLicense(ctx, code, env)
	if err != nil {
		return success("FetchLicense", err)
	}
	return issuedFor("FetchLicense", h.Inspect, file, code, env.Serial)
}

// issuedFor checks that file says of itself that it is for code and serial; a
// zero code is not compared.
func issuedFor(what string, inspect func(license.File) (license.Details, error), file license.File, code license.ActivationCode, serial license.SerialNumber) error {
	if file.IsZero() {
		return fmt.Errorf("%s returned no file and no error", what)
	}
	if inspect == nil {
		inspect = license.Inspect
	}
	d, err := inspect(file)
	switch {
	case errors.Is(err, license.ErrOpaque):
		return nil
	case err != nil:
		return fmt.Errorf("%s returned a file that cannot be inspected: %s", what, printed(err))
	case !code.IsZero() && d.Code != code:
		return fmt.Errorf("%s returned a file of the activation code %v, want %v", what, d.Code, code)
	case d.Serial != serial:
		return fmt.Errorf("%s returned a file for another serial number", what)
	}
	return nil
}

// state is what the portal shows of Env, and the free slots.
func (h LicensePortalHarness) state(ctx context.Context) ([]string, error) {
	var state []string
	for _, code := range []license.ActivationCode{h.Registered, h.Unregistered} {
		is, err := h.Portal.SerialRegistered(ctx, code, h.Env)
		if err != nil {
			return nil, success("SerialRegistered", err)
		}
		state = append(state, fmt.Sprintf("registered under %v: %v", code, is))
	}
	if h.FreeSlots != nil {
		state = append(state, fmt.Sprintf("free slots: %d", h.FreeSlots()))
	}
	return state, nil
}

func (h LicensePortalHarness) calls() []call {
	calls := []call{
		{name: "FetchLicense", do: func(ctx context.Context) error {
			_, err := h.Portal.FetchLicense(ctx, h.Registered, h.Env)
			return err
		}},
		{name: "SerialRegistered", do: func(ctx context.Context) error {
			_, err := h.Portal.SerialRegistered(ctx, h.Registered, h.Env)
			return err
		}},
	}
	if !h.CannotRegister {
		calls = append(calls, call{name: "RegisterSerial", mutates: true, do: func(ctx context.Context) error {
			return h.Portal.RegisterSerial(ctx, h.Unregistered, h.Env)
		}})
	}
	return calls
}

// lane is what one environment does while another does the same.
func (h LicensePortalHarness) lane(env environment.Environment) []call {
	lane := []call{
		{name: "SerialRegistered", do: func(ctx context.Context) error {
			_, err := h.Portal.SerialRegistered(ctx, h.Registered, env)
			return err
		}},
		{name: "FetchLicense", do: func(ctx context.Context) error {
			file, err := h.Portal.FetchLicense(ctx, h.Registered, env)
			if err != nil {
				return err
			}
			return issuedFor("FetchLicense", h.Inspect, file, license.ActivationCode{}, env.Serial)
		}},
	}
	if !h.CannotRegister {
		lane = append(lane, call{name: "RegisterSerial", do: func(ctx context.Context) error {
			return h.Portal.RegisterSerial(ctx, h.Unregistered, env)
		}})
	}
	return lane
}

func licensePortalClauses() []clause[LicensePortalHarness] {
	type H = LicensePortalHarness
	clauses := []clause[H]{
		{
			name: "FetchLicense returns the file of the serial number under the code",
			text: "FetchLicense returns the license file that the portal issues for the environment's serial number under code",
			check: func(ctx context.Context, h H) error {
				return h.fetched(ctx, h.Registered, h.Env)
			},
		},
		{
			name: "FetchLicense does not find a serial number that is not registered under the code",
			text: "FetchLicense returns ErrSerialNotFound when that serial number is not registered under code, whatever other codes it is registered under",
			check: func(ctx context.Context, h H) error {
				_, err := h.Portal.FetchLicense(ctx, h.Unregistered, h.Env)
				return refusal("FetchLicense", err, adapters.ErrSerialNotFound)
			},
		},
		{
			name: "FetchLicense changes nothing",
			text: "FetchLicense changes nothing: it registers no serial number and takes up no slot, whether it finds a file or not",
			check: func(ctx context.Context, h H) error {
				return keeps(ctx, h.state, "FetchLicense", func() error {
					for _, code := range []license.ActivationCode{h.Registered, h.Unregistered} {
						_, _ = h.Portal.FetchLicense(ctx, code, h.Env) // what it answers is for other clauses
					}
					return nil
				})
			},
		},
		{
			name: "SerialRegistered reports whether the serial number is registered under the code",
			text: "SerialRegistered reports whether the environment's serial number is registered under code",
			check: func(ctx context.Context, h H) error {
				return errors.Join(h.registered(ctx, h.Registered, true), h.registered(ctx, h.Unregistered, false))
			},
		},
		{
			name: "SerialRegistered changes nothing",
			text: "SerialRegistered changes nothing: asking about a serial number does not register it and takes up no slot",
			check: func(ctx context.Context, h H) error {
				slots := 0
				if h.FreeSlots != nil {
					slots = h.FreeSlots()
				}
				for range 3 {
					if _, err := h.Portal.SerialRegistered(ctx, h.Unregistered, h.Env); err != nil {
						return success("SerialRegistered", err)
					}
				}
				if h.FreeSlots != nil && h.FreeSlots() != slots {
					return fmt.Errorf("SerialRegistered changed the free slots from %d to %d", slots, h.FreeSlots())
				}
				if _, err := h.Portal.FetchLicense(ctx, h.Unregistered, h.Env); err == nil {
					return errors.New("FetchLicense finds a license of a serial number that was only asked about")
				}
				return nil
			},
		},
		{
			name:      "RegisterSerial registers the serial number under the code",
			text:      "after RegisterSerial returns nil, SerialRegistered reports true and FetchLicense finds the file",
			inability: H.cannotRegister,
			check: func(ctx context.Context, h H) error {
				if err := h.Portal.RegisterSerial(ctx, h.Unregistered, h.Env); err != nil {
					return success("RegisterSerial", err)
				}
				_, err := h.Portal.FetchLicense(ctx, h.Unregistered, h.Env)
				return errors.Join(h.registered(ctx, h.Unregistered, true), success("FetchLicense after RegisterSerial", err))
			},
		},
		{
			name:      "RegisterSerial takes up one slot",
			text:      "RegisterSerial takes up a slot of the environment's kind, and one only",
			inability: func(h H) string { return either(h.cannotRegister(), h.cannotCount()) },
			check: func(ctx context.Context, h H) error {
				before := h.FreeSlots()
				if err := h.Portal.RegisterSerial(ctx, h.Unregistered, h.Env); err != nil {
					return success("RegisterSerial", err)
				}
				if after := h.FreeSlots(); after != before-1 {
					return fmt.Errorf("%d slots were free before RegisterSerial and %d after it", before, after)
				}
				return nil
			},
		},
		{
			name: "RegisterSerial without a free slot registers nothing",
			text: "RegisterSerial returns ErrNoSlot, and registers nothing, when no slot of the environment's kind is free",
			inability: func(h H) string {
				return either(h.cannotRegister(), declared("RemoveSlots (nil)", h.RemoveSlots == nil))
			},
			check: func(ctx context.Context, h H) error {
				h.RemoveSlots()
				err := h.Portal.RegisterSerial(ctx, h.Unregistered, h.Env)
				return errors.Join(refusal("RegisterSerial", err, adapters.ErrNoSlot), h.registered(ctx, h.Unregistered, false))
			},
		},
		{
			name:      "RegisterSerial for a registered serial number takes up no further slot",
			text:      "the same call may come again after it was completed; it then does nothing more: no second slot is taken up",
			inability: func(h H) string { return either(h.cannotRegister(), h.cannotCount()) },
			check: func(ctx context.Context, h H) error {
				// What the second call answers is not laid down: an adapter
				// may know that there is nothing to do, or pass on what the
				// portal says.
				before := h.FreeSlots()
				if err := h.Portal.RegisterSerial(ctx, h.Unregistered, h.Env); err != nil {
					return success("RegisterSerial", err)
				}
				once := h.FreeSlots()
				_ = h.Portal.RegisterSerial(ctx, h.Unregistered, h.Env)
				if again := h.FreeSlots(); again != once {
					return fmt.Errorf("of %d free slots %d were left after the first call and %d after the second", before, once, again)
				}
				return nil
			},
		},
	}
	return append(clauses, general[H]{
		calls: H.calls,
		refused: func(h H) []call {
			return []call{{name: "FetchLicense of a serial number that is not registered", do: func(ctx context.Context) error {
				_, err := h.Portal.FetchLicense(ctx, h.Unregistered, h.Env)
				return err
			}}}
		},
		state: func(h H) stateFunc { return h.state },
		codes: func(h H) []license.ActivationCode {
			return []license.ActivationCode{h.Registered, h.Unregistered}
		},
		inability: func(h H) string { return declared("OneEnvironment", h.OneEnvironment) },
		several: func(ctx context.Context, h H) error {
			return together(ctx, h.lane(h.Env), h.lane(h.Other))
		},
	}.clauses()...)
}
