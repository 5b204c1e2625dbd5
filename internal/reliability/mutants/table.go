package mutants

// All returns the mutants: mistakes that somebody could make, most of them in
// one line. The list follows reliability.md C3.
func All() []Mutant {
	const (
		walk      = "internal/engine/walk.go"
		call      = "internal/engine/call.go"
		session   = "internal/engine/session.go"
		tables    = "migration/tables.go"
		effects   = "migration/effects.go"
		line      = "migration/infrastructure.go"
		runner    = "migration/runner.go"
		back      = "rollback/effects.go"
		backLine  = "rollback/runner.go"
		backTable = "rollback/tables.go"
		site      = "internal/steps/site.go"
		licenses  = "internal/steps/license.go"
		pauses    = "internal/steps/deployments.go"
		guard     = "internal/steps/guard.go"
		root      = "changeover.go"
		replay    = "migration/journal/replay.go"
		journalGo = "migration/journal/journal.go"
		store     = "adapters/filejournal/store.go"
		chain     = "adapters/filejournal/chain.go"
		head      = "adapters/filejournal/head.go"
		lock      = "adapters/filejournal/lock.go"
		vault     = "adapters/filevault/directory.go"
		mask      = "license/mask.go"
		reporter  = "migration/report/report.go"
		printable = "internal/printable/printable.go"
	)
	return []Mutant{
		// Intent, answer, outcome.
		{Name: "the effect goes before its intent", Tier: "simulate", Law: "OR1", Edits: []Edit{
			{walk, "if writing, err = pace.write(ctx); !writing {", "if writing, err = w.writeLater(ctx, pace, len(calls)); !writing {"},
			{walk, "// load sorts the environments", "func (w *Walk[F]) writeLater(ctx context.Context, p pace[F], calls int) (bool, error) {\n\tif calls > 0 {\n\t\treturn false, nil\n\t}\n\treturn p.write(ctx)\n}\n\n// load sorts the environments"},
		}},
		{Name: "an effect is issued although its intent could not be written", Tier: "simulate", Law: "OR1", Edits: []Edit{
			{walk, "case failed != nil: // no intent on record, no effect", "case false:"},
		}},
		{Name: "an error that says nothing counts as not done", Tier: "simulate", Edits: []Edit{
			{walk, "	case !r.Effect.Mutates:\n", "	case true:\n"},
		}},
		{Name: "a timeout counts as not reached", Tier: "simulate", Edits: []Edit{
			{walk, "	if err == nil || !errors.As(err, &c) ||", "	if errors.Is(err, context.DeadlineExceeded) {\n\t\treturn \"notReached\"\n\t}\n	if err == nil || !errors.As(err, &c) ||"},
		}},
		{Name: "what was in flight is done again without looking", Tier: "simulate", Edits: []Edit{
			{walk, "	if at.InFlight && effect.Mutates {\n", "	if at.InFlight && effect.Mutates && at.Doubt {\n"},
			{walk, "	if !at.InFlight {\n		c.Attempt", "	if !at.Doubt {\n		c.Attempt"},
		}},
		{Name: "an effect that is never to be repeated is repeated", Tier: "simulate", Law: "OR3", Only: true, Edits: []Edit{
			{tables, "Mutates: true, Once: true,", "Mutates: true,"},
		}},
		{Name: "an epoch is not raised", Tier: "simulate", Edits: []Edit{
			{session, "Epoch: s.record.Epoch + 1,", "Epoch: max(s.record.Epoch, 1),"},
		}},

		// Backups.
		{Name: "copies are not counted", Tier: "simulate", Law: "BK1", Only: true, Edits: []Edit{
			{effects, "if stored.Copies < s.rules.MinCopies {", "if false {"},
			{tables, "return b.Proven && b.Copies >= rules.MinCopies,", "return b.Proven,"},
		}},
		{Name: "a file goes up that the vault was never given", Tier: "simulate", Edits: []Edit{
			{effects, "	if err == nil {\n		err = s.store(ctx, c, file, c.Facts.Fetched.Role, environment.OriginPortal)\n	}\n	if errors.Is", "	if errors.Is"},
			{tables, "return b.Proven && b.Copies >= rules.MinCopies,", "return true,"},
			{tables, `return false, "it is not there"`, `return true, ""`},
			{tables, "_, ok := f.Restorable(f.Reading.Server)\n			return ok,", "return true,"},
		}},
		{Name: "a file for another server is accepted", Tier: "simulate", Law: "BK4", Edits: []Edit{
			{tables, "return f.Fetched.Serial != \"\" && f.Fetched.Serial == f.Reading.Server,", "return true,"},
		}},
		{Name: "a file from before the correction is used", Tier: "simulate", Law: "OR7", Only: true, Edits: []Edit{
			{tables, "return f.Fetched.Fence == f.Line.Fence,", "return true,"},
			{runner, "if at.Leg != leg || at.Table != m.Table().ID || state == NeedsSupport || state == m.Initial() {", "if state != \"\" {"},
		}},

		// States and evidence.
		{Name: "one reading is believed", Tier: "simulate", Law: "OR4", Edits: []Edit{
			{site, "if agree >= max(settle.Reads, 1) {", "if agree >= 1 {"},
		}},
		{Name: "every word is accepted", Tier: "simulate", Law: "OR4", Edits: []Edit{
			{tables, "return slices.Contains(rules.Accept, f.Reading.IPP),", "return true,"},
			{effects, "		if r.IPP == word {\n", "		if true {\n			_ = word\n"},
		}},
		{Name: "a publish that changed the version counts", Tier: "simulate", Law: "OR5", Only: true, Edits: []Edit{
			{tables, "p.Before != \"\" && p.Before == p.After,", "p.Before != \"\","},
		}},
		{Name: "an upload counts without being seen", Tier: "simulate", Law: "OR2", Edits: []Edit{
			{licenses, "	if !shows {\n		return fmt.Errorf(\"uploaded, but the licensing page still", "	if !shows && c == nil {\n		return fmt.Errorf(\"uploaded, but the licensing page still"},
			{tables, "return f.Reading.Shows(leg.Role), \"it shows", "return true, \"it shows"},
		}},

		// The pause.
		{Name: "the pause is not looked at before an upload", Tier: "simulate", Law: "PA1", Only: true, Edits: []Edit{
			{effects, "	if err := s.site.StillPaused(ctx); err != nil {\n		return \"\", err\n	}\n	if err := s.site.Upload", "	if err := s.site.Upload"},
		}},
		{Name: "a lost pause stops nothing", Tier: "simulate", Edits: []Edit{
			{pauses, "	err := s.SeePause(ctx, new(environment.Pause))\n	if errors.Is(err, ErrNotPaused) {\n		s.Halted.Store(true)\n	}\n	if err != nil {", "	err := s.SeePause(ctx, new(environment.Pause))\n	if err != nil && !errors.Is(err, ErrNotPaused) {"},
		}},
		{Name: "a pause that somebody else has set is released", Tier: "simulate", Law: "PA4", Edits: []Edit{
			{pauses, "	p.Seen = false\n	going, err := s.notPaused(ctx)\n	if err != nil {\n		return Before(err)", "	p.Seen, p.Ours = false, slices.Clone(s.Paused)\n	going, err := s.notPaused(ctx)\n	if err != nil {\n		return Before(err)"},
		}},
		{Name: "deployments are resumed without a sweep", Tier: "simulate", Edits: []Edit{
			{licenses, "	if err := s.Clock.Sleep(ctx, settle.Window); err != nil {\n		return err\n	}\n	for _, env := range s.Names() {", "	s.swept.Store(true)\n	for _, env := range s.Names()[:0] {"},
		}},
		{Name: "the sweep does not wait", Tier: "simulate", Law: "MX2", Edits: []Edit{
			{licenses, "	if err := s.Clock.Sleep(ctx, settle.Window); err != nil {\n		return err\n	}\n	for _, env := range s.Names() {", "	for _, env := range s.Names() {"},
		}},

		// The latch and the way back.
		{Name: "the line is not stopped", Tier: "simulate", Law: "RB1", Edits: []Edit{
			{line, "			line.Latch = latch(env, f)\n			r.site.Halted.Store(true)\n", ""},
			{line, "		StopOnHold: st.Policy == StopTheLine,\n", ""},
		}},
		{Name: "something is put back where nothing was sent", Tier: "simulate", Law: "RB7", Edits: []Edit{
			{back, "		case reading.Role == license.Source:\n			return \"nothingToRestore\", nil\n", "		case reading.Role == license.Source:\n"},
		}},
		{Name: "only what shows the target license is put back", Tier: "simulate", Law: "RB2", Only: true, Edits: []Edit{
			{back, "case c.Facts.TargetSent || reading.Role == license.Target:", "case reading.Role == license.Target:"},
			{backTable, "return !f.TargetSent, \"one was\"", "return true, \"one was\""},
		}},
		{Name: "the way back stops at the first error", Tier: "simulate", Law: "RB3", Long: true, Edits: []Edit{
			{backLine, "Envs: r.plan.Order, Witness: steps.Witness,\n		Enter:", "Envs: r.plan.Order, Witness: steps.Witness, StopOnHold: true, Limit: 1,\n		Enter:"},
		}},
		{Name: "a restored environment that failed its test counts as rolled back", Tier: "simulate", Law: "RB5", Only: true, Edits: []Edit{
			{backTable, "{Condition: \"publishFailed\", Trigger: \"testFailed\"}", "{Condition: \"publishFailed\", Trigger: \"restoredTested\"}"},
			{backTable, "return p.Module != \"\" && p.Errors == 0 && p.Before != \"\" && p.Before == p.After,", "return p.Errors >= 0,"},
		}},
		{Name: "a forward upload is not waited for before the restore", Tier: "simulate", Law: "RB8", Long: true, Edits: []Edit{
			{licenses, "	if c.Facts.Note(Unaccounted) == \"\" {\n", "	if true {\n"},
		}},

		// The tables, whatever the steps do.
		{Name: "the table opens the gate before everybody has a backup", Tier: "model", Edits: []Edit{
			{tables, `"gateOpened", Cleared, "gateApproved", "everyoneBackedUp")`, `"gateOpened", Cleared, "gateApproved")`},
			{tables, `upload = append(upload, "gateOpen", "everyoneBackedUp")`, `upload = append(upload, "gateOpen")`},
			{tables, `"sourceBackupProven", "gateOpen", "everyoneBackedUp")
	return t.Insert`, `"gateOpen")
	return t.Insert`},
			{tables, `upload := append(slices.Clone(mutating), "sourceBackupProven", "fileCurrent")`, `upload := append(slices.Clone(mutating), "fileCurrent")`},
			{tables, `If: []machine.GuardName{"fileBackedUp", "sourceBackupProven"}},`, `If: nil},`},
		}},
		{Name: "the table ends a leg without a clean publish", Tier: "model", Edits: []Edit{
			{tables, `{From: IPVerified, On: "publishFailed", To: NeedsSupport},`, `{From: IPVerified, On: "publishFailed", To: Republished},`},
		}},
		{Name: "the table has a state that nothing leads on from", Tier: "model", Edits: []Edit{
			{tables, `{From: NeedsSupport, On: SupportResolved, To: Paused, If: []machine.GuardName{"evidenceRecorded"}},`, `{From: NeedsSupport, On: SupportResolved, To: NeedsSupport, If: []machine.GuardName{"evidenceRecorded"}},`},
		}},
		{Name: "the table calls a mixed infrastructure swept", Tier: "model", Edits: []Edit{
			{tables, `"swept", Swept, "everyoneShows")`, `"swept", Swept)`},
			{line, "shown != census.Total {\n		return", "false && shown != census.Total {\n		return"},
		}},

		// The disk.
		{Name: "an append is acknowledged before it is synced", Tier: "enumerate", Edits: []Edit{
			{store, "	if err := s.journal.Sync(); err != nil {\n		return s.giveUp(err)\n	}\n	s.last = last", "	s.last = last"},
		}},
		{Name: "the journal's directory is not synced", Tier: "enumerate", Edits: []Edit{
			{store, "	if err := dir.Sync(); err != nil {\n		return err\n	}\n", ""},
		}},
		{Name: "what HEAD does not vouch for is not written again", Tier: "enumerate", Long: true, Edits: []Edit{
			{store, "	if found.unfinished == 0 && found.vouched == found.size {", "	if true {"},
		}},
		{Name: "the vault does not sync its files", Tier: "enumerate", Edits: []Edit{
			{vault, "		err = f.Sync()", "		_ = f.Sync"},
		}},
		{Name: "the vault does not sync its directory", Tier: "enumerate", Edits: []Edit{
			{vault, "	if err := d.Link(temp, name); err != nil {\n		return errors.Join(err, d.remove(temp))\n	}\n	if err := d.sync(); err != nil {\n		return err\n	}\n	if err := d.remove(temp); err != nil {\n		return err\n	}\n	return d.sync()", "	if err := d.Link(temp, name); err != nil {\n		return errors.Join(err, d.remove(temp))\n	}\n	return d.remove(temp)"},
		}},

		// Tampering.
		{Name: "a line need not follow from the one before", Tier: "tamper", Edits: []Edit{
			{chain, "	if !bytes.Equal(prev[len(prevKey):len(prev)-1], s.hash[:]) {", "	if false {"},
		}},
		{Name: "the bytes of a line are not hashed", Tier: "tamper", Edits: []Edit{
			{chain, "	if !sealed(end, h) {\n		return s.corrupt", "	if !sealed(end, h) && line == nil {\n		return s.corrupt"},
		}},
		{Name: "a journal that ends before HEAD is accepted", Tier: "tamper", Edits: []Edit{
			{head, "	case len(h.marks) > 0 && h.marks[0].Seq > s.seq():", "	case false:"},
		}},
		{Name: "a journal without HEAD is accepted", Tier: "tamper", Edits: []Edit{
			{head, "	case len(h.marks) == 0 && s.seq() > 0:", "	case false:"},
		}},
		{Name: "the digest of a backup is not compared", Tier: "tamper", Edits: []Edit{
			{vault, "string(n.digest) {\n		return nil, fmt.Errorf(\"%w: %s: the bytes have another digest\"", "string(n.digest) && b == nil {\n		return nil, fmt.Errorf(\"%w: %s: the bytes have another digest\""},
		}},

		// Processes.
		{Name: "the lock is not taken", Tier: "race", Edits: []Edit{
			{lock, "	if err = d.Lock(); err == nil {\n		err = f.Lock()\n	}\n", ""},
		}},
		{Name: "only LOCK is locked, and not the directory", Tier: "race", Edits: []Edit{
			{lock, "	if err = d.Lock(); err == nil {\n		err = f.Lock()\n	}\n", "	err = f.Lock()\n"},
		}},
		{Name: "the reserve is not released", Tier: "full", Edits: []Edit{
			{root, "		c.makeRoom()\n		if err := c.forward.RequestRollback", "		if err := c.forward.RequestRollback"},
			{root, "	c.makeRoom()\n	_, err = c.back", "	_, err = c.back"},
		}},
		{Name: "what was in flight when the process was killed is forgotten", Tier: "kill", Edits: []Edit{
			{replay, "		s.InFlight, s.Doubt = true, false\n", "		s.InFlight, s.Doubt = e.Epoch == 0, false\n"},
		}},

		// What is printed.
		{Name: "an error is told with the secrets in it", Tier: "hostile", Law: "XS1", Edits: []Edit{
			{mask, "	s = m.own(s)\n	if strings.Count", "	if strings.Count"},
			{mask, "	return usualCodes.ReplaceAllStringFunc(s, func(s string) string {\n		code, _ := ParseActivationCode(s)\n		return code.String()\n	})", "	return s"},
		}},
		{Name: "control characters are printed as they stand", Tier: "hostile", Law: "XS5", Edits: []Edit{
			{printable, "			case visible(r) && marks <= maxMarks:", "			case r < 0xffff:"},
		}},
		{Name: "a panic of an adapter is not caught", Tier: "hostile", Long: true, Edits: []Edit{
			{guard, "		if p := recover(); p != nil {", "		if p := any(nil); p != nil {"},
		}},
		{Name: "a run is called completed before deployments go on", Tier: "simulate", Long: true, Edits: []Edit{
			{reporter, "case !f.back && state == migration.Completed:", "case !f.back && (state == migration.Completed || state == migration.Swept):"},
		}},
		{Name: "an old journal cannot be read any more", Tier: "golden", Edits: []Edit{
			{journalGo, "const Format = 1", "const Format = 2"},
		}},
	}
}
