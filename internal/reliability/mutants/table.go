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
	)
	return []Mutant{
		// Intent, answer, outcome.
		{Name: "the effect goes before its intent", Tier: "simulate", Law: "OR1", Edits: []Edit{
			{walk, "if err := w.Session.Flush(ctx); err != nil && failed == nil {", "if err := w.flushLater(ctx, len(calls)); err != nil && failed == nil {"},
			{walk, "// load sorts the environments", "func (w *Walk[F]) flushLater(ctx context.Context, calls int) error {\n\tif calls > 0 {\n\t\treturn nil\n\t}\n\treturn w.Session.Flush(ctx)\n}\n\n// load sorts the environments"},
		}},
		{Name: "an effect is issued although its intent could not be written", Tier: "simulate", Law: "OR1", Edits: []Edit{
			{walk, "			calls = nil // no intent on record, no effect\n", ""},
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
		{Name: "an effect that is never to be repeated is repeated", Tier: "simulate", Law: "OR3", Edits: []Edit{
			{tables, "Mutates: true, Once: true,", "Mutates: true,"},
		}},
		{Name: "an epoch is not raised", Tier: "simulate", Edits: []Edit{
			{session, "Epoch: s.record.Epoch + 1,", "Epoch: max(s.record.Epoch, 1),"},
		}},

		// Backups.
		{Name: "the barrier is dropped", Tier: "simulate", Law: "BK8", Edits: []Edit{
			{tables, `"sourceBackupProven", "gateOpen", "everyoneBackedUp")
	return t.Insert`, `"sourceBackupProven")
	return t.Insert`},
			{tables, `upload = append(upload, "gateOpen", "everyoneBackedUp")`, `upload = append(upload, "gateOpen")`},
		}},
		{Name: "copies are not counted", Tier: "simulate", Law: "BK1", Only: true, Edits: []Edit{
			{effects, "if stored.Copies < s.rules.MinCopies {", "if false {"},
			{tables, "return b.Proven && b.Copies >= rules.MinCopies,", "return b.Proven,"},
		}},
		{Name: "a file goes up that the vault was never given", Tier: "simulate", Edits: []Edit{
			{effects, "	if err := s.store(ctx, c, file, c.Facts.Fetched.Role, environment.OriginPortal); err != nil {\n		return \"\", err\n	}\n", ""},
			{tables, "return b.Proven && b.Copies >= rules.MinCopies,", "return true,"},
			{tables, `return false, "it is not there"`, `return true, ""`},
			{tables, "_, ok := f.Restorable(f.Reading.Server)\n			return ok,", "return true,"},
		}},
		{Name: "a file for another server is accepted", Tier: "simulate", Law: "BK4", Edits: []Edit{
			{tables, "return f.Fetched.Serial != \"\" && f.Fetched.Serial == f.Reading.Server,", "return true,"},
		}},
		{Name: "the serial number is not compared before a restore", Tier: "simulate", Law: "BK4", Edits: []Edit{
			{back, "		case reading.Server != serial:\n			return \"\", steps.SerialChanged(c.Environment, reading.Server, serial)\n", ""},
		}},
		{Name: "a file from before the correction is used", Tier: "simulate", Law: "OR7", Edits: []Edit{
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
		{Name: "a publish that changed the version counts", Tier: "simulate", Law: "OR5", Edits: []Edit{
			{tables, "p.Before != \"\" && p.Before == p.After,", "p.Before != \"\","},
		}},
		{Name: "an upload counts without being seen", Tier: "simulate", Law: "OR2", Edits: []Edit{
			{licenses, "	if !shows {\n		return fmt.Errorf(\"uploaded, but the licensing page still", "	if !shows && c == nil {\n		return fmt.Errorf(\"uploaded, but the licensing page still"},
			{tables, "return f.Reading.Shows(leg.Role), \"it shows", "return true, \"it shows"},
		}},

		// The pause.
		{Name: "the pause is not looked at before an upload", Tier: "simulate", Law: "PA1", Edits: []Edit{
			{effects, "	if err := s.site.StillPaused(ctx); err != nil {\n		return \"\", err\n	}\n	if err := s.site.Upload", "	if err := s.site.Upload"},
		}},
		{Name: "a lost pause stops nothing", Tier: "simulate", Edits: []Edit{
			{pauses, "	err := s.SeePause(ctx, new(environment.Pause))\n	if errors.Is(err, ErrNotPaused) {\n		s.Halted.Store(true)\n	}\n	if err != nil {", "	err := s.SeePause(ctx, new(environment.Pause))\n	if err != nil && !errors.Is(err, ErrNotPaused) {"},
		}},
		{Name: "a pause that somebody else has set is released", Tier: "simulate", Law: "PA4", Edits: []Edit{
			{pauses, "	if len(going) > 0 {\n		ours :=", "	if p.Ours = slices.Clone(s.Paused); len(going) > 0 {\n		ours :="},
		}},
		{Name: "deployments are resumed without a sweep", Tier: "simulate", Edits: []Edit{
			{line, "shown != census.Total {\n		return", "false && shown != census.Total {\n		return"},
		}},
		{Name: "the sweep does not wait", Tier: "simulate", Law: "MX2", Only: true, Edits: []Edit{
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
		{Name: "the way back stops at the first error", Tier: "simulate", Edits: []Edit{
			{backLine, "Envs: r.plan.Order, Witness: steps.Witness,\n		Enter:", "Envs: r.plan.Order, Witness: steps.Witness, StopOnHold: true, Limit: 1,\n		Enter:"},
		}},
		{Name: "a restore counts without being seen", Tier: "simulate", Edits: []Edit{
			{back, "	if !shown {\n		// The next", "	if false {\n		// The next"},
			{licenses, "	if !shows {\n		return fmt.Errorf(\"uploaded, but the licensing page still", "	if !shows && c == nil {\n		return fmt.Errorf(\"uploaded, but the licensing page still"},
			{backTable, "return f.Reading.Shows(license.Source), \"it shows", "return true, \"it shows"},
		}},
		{Name: "a restored environment that failed its test counts as rolled back", Tier: "simulate", Law: "RB5", Edits: []Edit{
			{backTable, "{From: SourceConfirmed, On: \"testFailed\", To: RestoredNotTested}", "{From: SourceConfirmed, On: \"testFailed\", To: RolledBack}"},
		}},
		{Name: "a forward upload is not waited for before the restore", Tier: "simulate", Law: "RB8", Only: true, Edits: []Edit{
			{back, "		if err := r.site.Clock.Sleep(ctx, c.Effect.Settle.Window); err != nil {\n			return \"\", steps.Before(err)\n		}\n", ""},
		}},
		{Name: "a mixed infrastructure counts as rolled back", Tier: "simulate", Law: "MX1", Edits: []Edit{
			{backLine, "	case mixed:\n		return \"notRestored\", nil\n", "	case mixed:\n		return \"restored\", nil\n"},
			{backTable, "return c.Total > 0 && c.Reached == c.Total && c.Untested == 0,", "return true,"},
			{backLine, "	if census.ShowSource != census.Total {", "	if false {"},
			{backTable, "return l.Census.Total > 0 && l.Census.ShowSource == l.Census.Total,", "return true,"},
		}},
	}
}
