package simworld

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// copies is how often the vault keeps a file.
const copies = 2

var (
	errLine   = errors.New("the line went dead")
	errAnswer = errors.New("unexpected end of the answer")
)

// Set returns the ports of the world.
func (w *World) Set() adapters.Set {
	return adapters.Set{Portal: portal{w}, ServiceCenter: console{w}, LifeTime: lifeTime{w}, Vault: vault{w}, Support: desk{w}, Operator: person{w}}
}

// call carries out a call of a port: what befalls it, and in between, do. env
// is negative where a call is for no environment.
func (w *World) call(m method, env int, do func(Fault) error) error {
	if w.OnCall != nil && !w.dead {
		w.OnCall()
	}
	if w.Point() {
		return ErrDead
	}
	w.Calls++
	w.deliver()
	w.happens()
	f := w.draw(m, env)
	err := w.befall(m, f, do)
	if w.Point() {
		return ErrDead
	}
	return err
}

// befall carries out do, or not, as the fault demands.
func (w *World) befall(m method, f Fault, do func(Fault) error) error {
	changes := m&mutating != 0
	switch f {
	case NotReached:
		return adapters.ErrNotReached
	case Lost:
		return errLine
	case Permission:
		return adapters.ErrPermission
	case Hang:
		if changes && w.rng.IntN(2) == 0 {
			_ = do(NoFault)
		}
		if w.cancel != nil && w.rng.IntN(2) == 0 {
			w.cancel() // somebody has lost patience
			return fmt.Errorf("waiting for an answer: %w", context.Canceled)
		}
		return fmt.Errorf("waiting for an answer: %w", context.DeadlineExceeded)
	case Panic:
		if changes && w.rng.IntN(2) == 0 {
			_ = do(NoFault)
		}
		panic("a simulated adapter panics")
	case AnswerLost:
		if err := do(NoFault); err != nil {
			return err
		}
		return fmt.Errorf("no answer: %w", adapters.ErrUncertain)
	case ErrorDone:
		if err := do(NoFault); err != nil {
			return err
		}
		return errAnswer
	}
	return do(f)
}

// effect carries out something that changes the world, as the fault demands.
func (w *World) effect(f Fault, apply func()) error {
	switch f {
	case Late, LateBeyond:
		w.later(f == LateBeyond, apply)
		if w.rng.IntN(3) == 0 && f == Late {
			return nil // answered before it was done
		}
		return fmt.Errorf("no answer yet: %w", adapters.ErrUncertain)
	case Twice:
		apply()
		w.later(false, apply)
	case SuccessNone:
	default:
		apply()
	}
	return nil
}

type portal struct{ w *World }

func (p portal) FetchLicense(_ context.Context, c license.ActivationCode, env environment.Environment) (f license.File, err error) {
	w, s := p.w, p.w.server(env)
	role := license.Source
	if c == code(license.Target) {
		role = license.Target
	}
	err = w.call(fetch, s.at, func(fault Fault) error {
		// The portal knows the serial numbers that were registered, not the
		// servers.
		good := w.good(s, role, 1)
		good.serial = env.Serial
		switch fault {
		case SerialLost:
			if role == license.Source {
				s.registered[license.Source] = false
			}
			return adapters.ErrSerialNotFound
		case NotPrepared:
			return adapters.ErrNotPrepared
		case EmptyFile:
			return nil
		case OpaqueFile, OpaqueWrong:
			good.opaque = true
		case WrongCode:
			good.role = license.Other
		case ExpiredFile:
			good.ended = true
		case TrialFile:
			good.kind = "Trial"
		case OtherBytes:
			good.salt = w.salt + 2 + w.rng.Uint64N(6)
		case WordOther:
			good.word = map[license.IPP]license.IPP{license.Ignore: license.Protected, license.Protected: license.Ignore, license.Unprotected: license.Ignore}[good.word]
		case WordUnknown:
			good.word = "ignore"
		}
		if fault == WrongSerial || fault == OpaqueWrong {
			good.serial = w.envs[(s.at+1)%len(w.envs)].Environment.Serial
		}
		if !s.registered[role] {
			return adapters.ErrSerialNotFound
		}
		if f = w.file(good); fault == GarbageFile {
			f = torn(f)
		}
		return nil
	})
	return f, err
}

func (p portal) SerialRegistered(_ context.Context, _ license.ActivationCode, env environment.Environment) (registered bool, err error) {
	s := p.w.server(env)
	err = p.w.call(lookSerial, s.at, func(Fault) error {
		registered = s.registered[license.Target]
		return nil
	})
	return registered, err
}

func (p portal) RegisterSerial(_ context.Context, _ license.ActivationCode, env environment.Environment) error {
	w, s := p.w, p.w.server(env)
	return w.call(register, s.at, func(f Fault) error {
		if f == NoSlot {
			return adapters.ErrNoSlot
		}
		if s.registered[license.Target] {
			w.Broken = append(w.Broken, "the serial number of "+s.Name+" is registered again")
		}
		return w.effect(f, func() { s.registered[license.Target] = true })
	})
}

type console struct{ w *World }

func (c console) InstalledLicense(_ context.Context, env environment.Environment) (in license.Installed, err error) {
	w, s := c.w, c.w.server(env)
	err = w.call(read, s.at, func(f Fault) error {
		if f == Unreadable {
			return errAnswer
		}
		s.excused = false
		shows := w.page(s)
		in.Server = s.serial
		if shows.role != "" {
			in.Code, in.Serial, in.IPP, in.Type, in.Ends = code(shows.role), shows.serial, shows.word, shows.kind, endOf(shows.ended)
		}
		switch {
		case f == WordMissing:
			in.IPP = ""
		case f == WordForeign && in.IPP != "":
			in.IPP = "Ignorieren"
		}
		return nil
	})
	return in, err
}

func (c console) UploadLicense(_ context.Context, env environment.Environment, file license.File) error {
	w, s := c.w, c.w.server(env)
	return w.call(upload, s.at, func(f Fault) error {
		says, known := w.known[file.Digest()]
		switch {
		case f == Rejected, !known, says.ended:
			return adapters.ErrRejected
		case f == WrongServer, says.serial != s.serial:
			return adapters.ErrWrongEnvironment
		}
		says.opaque = false
		sent := w.now
		return w.effect(f, func() {
			beyond := w.now-sent >= w.window
			shown := w.now
			if !beyond && (f == Stale || f == Flapping || f == Late && w.rng.IntN(2) == 0) {
				shown += time.Duration(w.rng.Int64N(int64(sent + w.window - w.now)))
			}
			was := s.cur
			if says.serial != s.serial {
				return // the hardware has changed in between
			}
			w.install(s, says, shown, f == Flapping)
			if beyond && s.cur != was {
				s.excused = true
			}
		})
	})
}

func (c console) RepublishModule(_ context.Context, env environment.Environment, _ string) (p adapters.Publication, err error) {
	w, s := c.w, c.w.server(env)
	err = w.call(publish, s.at, func(f Fault) error {
		enforced := s.cur.word == license.Protected || s.cur.word == license.Unprotected
		switch {
		case f == NoModule:
			return adapters.ErrModuleNotFound
		case f == PublishBusy:
			return adapters.ErrBusy
		case f == PublishError, s.cur.role == "", s.cur.serial != s.serial:
			return adapters.ErrPublishFailed
		case f == PublishIPP, enforced && s.mark != "" && s.mark != s.cur.role:
			return adapters.ErrIntellectualProperty
		}
		p.Before = strconv.Itoa(s.version)
		if f == PublishMoved {
			s.version++
		}
		p.After = strconv.Itoa(s.version)
		if s.cur.word == license.Protected {
			s.mark = s.cur.role
		}
		return nil
	})
	return p, err
}

func (c console) BackupLicense(_ context.Context, env environment.Environment) (file license.File, err error) {
	w, s := c.w, c.w.server(env)
	err = w.call(download, s.at, func(f Fault) error {
		switch {
		case f == NoBackup:
			return adapters.ErrUnsupported
		case s.cur.role == "":
			return adapters.ErrNoLicense
		}
		file = w.file(s.cur)
		return nil
	})
	return file, err
}

type lifeTime struct{ w *World }

func (l lifeTime) Registered(context.Context) (list []environment.Registered, err error) {
	err = l.w.call(inventory, -1, func(Fault) error {
		for i := range l.w.envs {
			if s := &l.w.envs[i]; s.controlled {
				list = append(list, environment.Registered{Name: s.Name, Address: s.ServiceCenter, Paused: s.paused})
			}
		}
		return nil
	})
	return list, err
}

func (l lifeTime) PauseDeployments(_ context.Context, env environment.Environment) error {
	s := l.w.server(env)
	return l.w.call(pause, s.at, func(f Fault) error {
		if f == Deploying {
			return adapters.ErrBusy
		}
		return l.w.effect(f, func() {
			if !s.paused {
				s.paused, s.byRun = true, true
			}
		})
	})
}

func (l lifeTime) ResumeDeployments(_ context.Context, env environment.Environment) error {
	w, s := l.w, l.w.server(env)
	return w.call(resume, s.at, func(f Fault) error {
		if how := w.mixed(); how != "" {
			w.Broken = append(w.Broken, "deployments to "+s.Name+" are resumed although "+how)
		}
		return w.effect(f, func() { s.paused, s.byRun = false, false })
	})
}

type vault struct{ w *World }

func (v vault) Put(_ context.Context, label adapters.Label, file license.File) (stored adapters.Stored, err error) {
	w := v.w
	err = w.call(put, -1, func(f Fault) error {
		generation := 1
		for _, b := range w.backups {
			if b.stored.Serial != label.Serial {
				continue
			}
			if b.stored.Label == label && b.stored.Digest == file.Digest() && b.stored.Copies == copies {
				stored = b.stored
				return nil
			}
			generation = b.stored.Generation + 1
		}
		stored = adapters.Stored{Label: label, Digest: file.Digest(), Generation: generation, Copies: copies, At: w.time()}
		if f == FewerCopies {
			stored.Copies = 1
		}
		w.backups = append(w.backups, backup{stored, file})
		return nil
	})
	return stored, err
}

func (v vault) Get(_ context.Context, serial license.SerialNumber, digest license.Digest) (file license.File, err error) {
	w := v.w
	err = w.call(get, -1, func(f Fault) error {
		switch f {
		case VaultGone:
			return adapters.ErrBackupNotFound
		case VaultDamaged:
			for i := range w.backups {
				if b := &w.backups[i].stored; b.Serial == serial && b.Digest == digest {
					b.Copies = 0
				}
			}
		}
		condition := adapters.ErrBackupNotFound
		for _, b := range w.backups {
			if b.stored.Serial != serial || b.stored.Digest != digest {
				continue
			}
			if b.stored.Copies > 0 {
				file = b.file
				return nil
			}
			condition = adapters.ErrBackupDamaged
		}
		return condition
	})
	return file, err
}

func (v vault) List(_ context.Context, serial license.SerialNumber) (all []adapters.Stored, err error) {
	err = v.w.call(list, -1, func(Fault) error {
		for _, b := range v.w.backups {
			if b.stored.Serial == serial {
				all = append(all, b.stored)
			}
		}
		return nil
	})
	return all, err
}

type desk struct{ w *World }

func (d desk) OpenCase(_ context.Context, c adapters.Case) (reference string, err error) {
	err = d.w.call(openCase, -1, func(Fault) error {
		for i, key := range d.w.cases {
			if key == c.Key {
				d.w.Broken = append(d.w.Broken, "the support case "+c.Key+" is opened again")
				reference = fmt.Sprintf("CASE-%d", i+1)
				return nil
			}
		}
		d.w.cases = append(d.w.cases, c.Key)
		reference = fmt.Sprintf("CASE-%d", len(d.w.cases))
		return nil
	})
	return reference, err
}

func (d desk) FindCase(_ context.Context, key string) (reference string, err error) {
	err = d.w.call(findCase, -1, func(Fault) error {
		for i, k := range d.w.cases {
			if k == key {
				reference = fmt.Sprintf("CASE-%d", i+1)
				return nil
			}
		}
		return adapters.ErrCaseNotFound
	})
	return reference, err
}

type person struct{ w *World }

func (p person) Ask(_ context.Context, _ adapters.Question) (answer adapters.Answer, err error) {
	err = p.w.call(ask, -1, func(f Fault) error {
		switch f {
		case PersonNo:
			return adapters.ErrRefused
		case PersonLate:
			return errors.New("nobody has answered yet")
		}
		answer = adapters.Answer{By: "somebody", At: p.w.time(), Text: "seen"}
		return nil
	})
	return answer, err
}

// Clock returns the clock of the world: nobody waits for real.
func (w *World) Clock() adapters.Clock { return clock{w} }

type clock struct{ w *World }

func (w *World) time() time.Time {
	return time.Date(2026, time.January, 12, 8, 0, 0, 0, time.UTC).Add(w.now + w.skew)
}

func (c clock) Now() time.Time { return c.w.time() }

func (c clock) Sleep(ctx context.Context, d time.Duration) error {
	if c.w.dead {
		return ErrDead
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.w.now += max(d, 0)
	return nil
}
