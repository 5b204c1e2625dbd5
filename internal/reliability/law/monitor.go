package law

// Rules are what the plan of a run decides about the laws.
type Rules struct {
	Environments int  // that the plan names, at most MaxEnvironments
	Final        Role // whose licenses a completed run ends with
	Reads        int  // how many equal readings are stable
	// Concurrent says that effects run side by side: what was decided before
	// the line was stopped may then reach the world just after.
	Concurrent bool
	// Without are laws that are not enforced. It is for showing that a law is
	// needed: without it, a planted mistake goes unnoticed.
	Without Set
}

// all has a bit for each environment.
func (r *Rules) all() mask { return mask(1<<r.Environments - 1) }

// mask has a bit for each environment.
type mask uint8

func (m mask) has(env uint8) bool { return m&(1<<env) != 0 }

func (m *mask) set(env uint8, on bool) {
	if on {
		*m |= 1 << env
	} else {
		*m &^= 1 << env
	}
}

// A Monitor has followed a run up to now. The zero value has seen nothing. It
// can be compared and copied.
type Monitor struct {
	latched, gate, overridden bool
	pauseSeen                 bool // the last look found all paused
	pauseLost                 bool // the last look found some going on, having found them paused before
	backPaused                bool // deployments were seen paused since the line was stopped
	settled                   bool // the settling time went by since the last change
	verdict                   Verdict

	proven      mask // has a proven source backup
	cleared     mask // everybody's backup was proven when the open intent was decided
	keptBack    mask // somebody has said that it must wait
	targetMaybe mask // was sent a target license and was not seen back since
	attempted   mask // was attempted to be put back since
	restoring   mask // is being sent its source license on the way back
	restored    mask // was sent it, and perhaps has it
	regOpen     mask // a registration was asked for, and its end is not on record
	regDoubt    mask // and it came back without an answer
	regLost     mask // and the process died before anybody was told the answer
	regSeen     mask // the registration was answered, or looked up
	readSince   mask // the page was read under the open intent
	sent        mask // an upload or restore was asked for under the intent that is open
	published   mask // a publish has come back well under the intent that is open
	unaccounted mask // a forward upload was asked for, and its end is not on record
	pauseFresh  mask // deployments were seen paused since the open intent
	shownPaused mask // LifeTime showed a pause when it was last read
	ours        mask // the run has paused it
	untested    mask // was put back and not tested
	beforeLatch mask // the open intent is older than the latch
	sweptSource mask // was read after the last change had settled, and shows source
	sweptTarget mask

	line     Effect // of the infrastructure, whose intent is open
	intent   [MaxEnvironments]Effect
	position [MaxEnvironments]State // the last state of the chain that was entered
	read     [MaxEnvironments]reading
}

// reading is what was read of an environment since something was sent to it.
type reading struct {
	role      Role
	forServer bool
	accepted  bool
	equal     uint8 // how many readings in a row said so, up to 3
}

func (r reading) shows(role Role) bool { return r.role == role && r.forServer }

// Step takes the next event and returns the laws that it breaks.
func (m *Monitor) Step(rules *Rules, e Event) Set {
	var broken Set
	must := func(l Law, holds bool) {
		if !holds {
			broken |= Of(l)
		}
	}
	switch e.Kind {
	case Intended:
		if e.Env == Line {
			m.line = e.Effect
			break
		}
		// A retry has an intent of its own; an effect whose end is not known is
		// not intended again.
		must(OR1, m.intent[e.Env] == NoEffect)
		m.intent[e.Env] = e.Effect
		m.pauseFresh.set(e.Env, false)
		m.published.set(e.Env, false)
		m.sent.set(e.Env, false)
		m.readSince.set(e.Env, false)
		m.beforeLatch.set(e.Env, !m.latched)
		m.cleared.set(e.Env, m.proven&rules.all() == rules.all())
		switch {
		case e.Effect == Restore:
			m.attempted.set(e.Env, true)
		case e.Effect == Upload && e.Leg == Target:
			m.targetMaybe.set(e.Env, true)
			m.attempted.set(e.Env, false)
		}
		must(RB1, !m.latched || !forward(e.Effect))
	case Ended:
		if e.Env == Line {
			m.line = NoEffect
			break
		}
		m.intent[e.Env] = NoEffect
		m.unaccounted.set(e.Env, false)
		if e.Done || e.Attested || !m.regDoubt.has(e.Env) && (e.Certain || !m.regLost.has(e.Env)) {
			m.regOpen.set(e.Env, false)
			m.regDoubt.set(e.Env, false)
			m.regLost.set(e.Env, false)
		}
		m.restoring.set(e.Env, false) // it was refused
	case Entered:
		m.enter(rules, e, must)
	case Latched:
		m.latched = true
		m.backPaused = false
	case GateOpened:
		m.gate = true
	case Overridden:
		m.overridden = true
	case Asked:
		m.ask(rules, e, must)
	case Answered:
		switch e.Effect {
		case Upload:
			m.restored.set(e.Env, m.restored.has(e.Env) || m.restoring.has(e.Env))
			m.restoring.set(e.Env, false)
		case Republish, TestRestored:
			m.published.set(e.Env, e.Done)
		case Register:
			m.regSeen.set(e.Env, e.Done)
			m.regDoubt.set(e.Env, !e.Done)
		}
	case Looked:
		m.regSeen.set(e.Env, e.Done)
	case Read:
		m.readSince.set(e.Env, true)
		m.look(rules, e)
	case ShownPause:
		m.shownPaused.set(e.Env, e.Done)
	case SawPause:
		m.pauseLost = !e.Done && (m.pauseSeen || m.pauseLost)
		m.pauseSeen = e.Done
		if e.Done {
			m.pauseFresh = ^mask(0)
			m.backPaused = m.backPaused || m.latched
		}
	case Stored:
		m.proven.set(e.Env, true)
	case Unproven:
		m.proven.set(e.Env, false)
	case KeptBack, LetGo:
		if e.Env != Line {
			m.keptBack.set(e.Env, e.Kind == KeptBack)
		}
	case Slept:
		m.settled = true
		if m.latched {
			m.unaccounted = 0
		}
	case Died:
		m.restored |= m.restoring
		m.regLost |= m.regOpen &^ m.regSeen
		m.restoring = 0
	case Claimed:
		// A claim to a pause that was seen already is no claim; what is claimed
		// and then set by somebody else cannot be told from the run's own.
		if !m.shownPaused.has(e.Env) {
			m.ours.set(e.Env, true)
		}
	case Called:
		m.call(rules, e, must)
	}
	return broken &^ rules.Without
}

// forward reports whether the way forward alone asks for the effect.
func forward(e Effect) bool { return e == Register || e == Upload || e == Republish }

// ask is a call that changes something.
func (m *Monitor) ask(rules *Rules, e Event, must func(Law, bool)) {
	all := rules.all()
	var intent Effect
	contradicts := false
	if e.Env < MaxEnvironments {
		intent = m.intent[e.Env]
		seen := m.read[e.Env].role
		contradicts = seen == Third || seen == None || seen == Target && !m.targetMaybe.has(e.Env)
	}
	switch e.Effect {
	case Pause:
		must(OR1, m.line != NoEffect && (m.ours.has(e.Env) || m.shownPaused.has(e.Env)))
		return
	case Resume:
		must(OR1, m.line == Resume)
		must(PA4, m.ours.has(e.Env))
		must(MX2, m.settled)
		switch {
		case m.sweptTarget&all == all:
		case m.sweptSource&all == all:
			must(PA5, m.untested == 0 || m.overridden)
		default:
			must(PA5, false)
		}
		return
	case Register:
		must(OR1, intent == Register)
		must(OR3, !m.regOpen.has(e.Env))
		must(BK8, m.gate && (m.cleared.has(e.Env) || m.proven&all == all))
		m.regOpen.set(e.Env, true)
		m.regSeen.set(e.Env, false)
	case Upload:
		must(OR1, (intent == Upload || intent == Restore) && !m.sent.has(e.Env))
		// Who cannot read the page cannot compare, and the way back does not
		// wait for it (RB2): Service Center refuses what is not for it.
		blind := intent == Restore && !m.readSince.has(e.Env)
		must(BK1, m.proven.has(e.Env) || blind)
		must(BK3, !e.Unstored)
		must(BK4, !e.WrongServer || blind)
		if e.Role == Target {
			must(BK8, m.gate && (m.cleared.has(e.Env) || m.proven&all == all))
			must(OR7, !e.Stale)
			must(RB1, intent != Restore)
		}
		if intent == Restore {
			must(RB1, m.latched && e.Role != Target)
			must(RB7, m.targetMaybe.has(e.Env) || m.read[e.Env].role == Target || m.restored.has(e.Env))
			must(RB8, !m.unaccounted.has(e.Env))
			must(PA1, m.backPaused)
			m.restoring.set(e.Env, true)
		} else {
			m.unaccounted.set(e.Env, true)
			must(PA1, m.pauseFresh.has(e.Env))
			must(PA2, !m.pauseLost)
		}
		m.sent.set(e.Env, true)
		m.read[e.Env] = reading{}
	case Republish:
		must(OR1, intent == Republish || intent == TestRestored)
		if intent == Republish {
			must(PA1, m.pauseFresh.has(e.Env))
			must(PA2, !m.pauseLost)
		}
		m.published.set(e.Env, false)
	default:
		return
	}
	if forward(intent) {
		must(RB1, !m.latched || rules.Concurrent && m.beforeLatch.has(e.Env))
		must(MX4, !contradicts)
	}
	m.settled = false
	m.sweptSource, m.sweptTarget = 0, 0
}

// look is a reading of a licensing page.
func (m *Monitor) look(rules *Rules, e Event) {
	r := reading{role: e.Role, forServer: e.ForServer, accepted: e.Accepted, equal: 1}
	if last := m.read[e.Env]; last.role == r.role && last.forServer == r.forServer && last.accepted == r.accepted {
		r.equal = min(last.equal+1, 3)
	}
	m.read[e.Env] = r
	stable := m.settled && int(r.equal) >= min(rules.Reads, 3)
	// What a sweep has found is confirmed by any reading that shows it still.
	m.sweptSource.set(e.Env, r.shows(Source) && (stable || m.sweptSource.has(e.Env)))
	m.sweptTarget.set(e.Env, r.shows(Target) && (stable || m.sweptTarget.has(e.Env)))
}

// enter is a state that became durable.
func (m *Monitor) enter(rules *Rules, e Event, must func(Law, bool)) {
	r := m.read[e.Env]
	if e.Begins {
		m.position[e.Env], m.intent[e.Env] = OtherState, NoEffect
		return
	}
	switch e.State {
	case LicenseFetched, BackedUp, Uploaded, IPVerified, Republished:
		must(OR6, e.State == m.position[e.Env]+1)
		m.position[e.Env] = e.State
	case OtherState:
		m.position[e.Env] = OtherState
	}
	stable := int(r.equal) >= min(rules.Reads, 3)
	switch e.State {
	case SerialRegistered:
		must(OR2, m.regSeen.has(e.Env))
	case BackedUp:
		must(BK1, m.proven.has(e.Env))
	case Uploaded:
		must(OR2, r.shows(e.Leg))
	case IPVerified:
		must(OR4, r.shows(e.Leg) && r.accepted && stable)
	case Republished:
		must(OR5, m.published.has(e.Env))
	case BackupUploaded:
		must(OR2, r.shows(Source))
	case SourceConfirmed:
		must(RB4, r.shows(Source) && stable)
		m.targetMaybe.set(e.Env, false)
		m.untested.set(e.Env, true)
	case RolledBack:
		must(RB4, r.shows(Source))
		must(RB2, !m.targetMaybe.has(e.Env))
		must(RB5, !m.restored.has(e.Env) || m.published.has(e.Env))
		m.untested.set(e.Env, false)
		m.restored.set(e.Env, false)
	case RestoredNotTested:
		must(RB4, r.shows(Source))
		m.restored.set(e.Env, false)
	}
}

// call is a run that is called over, or not.
func (m *Monitor) call(rules *Rules, e Event, must func(Law, bool)) {
	all := rules.all()
	m.verdict = e.Verdict
	must(MX3, e.Truthful)
	switch e.Verdict {
	case Completed:
		swept := m.sweptTarget
		if rules.Final == Source {
			swept = m.sweptSource
		}
		must(MX1, swept&all == all && !m.latched)
		must(RB3, !m.latched)
	case RolledBackAll:
		must(MX1, m.sweptSource&all == all)
		must(RB2, m.targetMaybe&all == 0)
	case Mixed:
		// A rollback that rests has attempted everything; one that was never
		// begun has not been asked to.
		must(RB3, !m.latched || m.targetMaybe&^m.attempted&^m.keptBack&all == 0)
	}
}

// Swapped returns m with the environments i and j exchanged: a run of an
// infrastructure whose environments differ in their names alone.
func (m Monitor) Swapped(i, j uint8) Monitor {
	for _, s := range []*mask{&m.proven, &m.cleared, &m.keptBack, &m.targetMaybe, &m.attempted, &m.restoring, &m.restored, &m.regOpen, &m.regDoubt, &m.regLost, &m.regSeen, &m.readSince, &m.sent, &m.published,
		&m.unaccounted, &m.pauseFresh, &m.shownPaused, &m.ours, &m.untested, &m.beforeLatch, &m.sweptSource, &m.sweptTarget} {
		a, b := s.has(i), s.has(j)
		s.set(i, b)
		s.set(j, a)
	}
	m.intent[i], m.intent[j] = m.intent[j], m.intent[i]
	m.position[i], m.position[j] = m.position[j], m.position[i]
	m.read[i], m.read[j] = m.read[j], m.read[i]
	return m
}
