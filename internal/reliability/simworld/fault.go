package simworld

// A Fault is a kind of misfortune.
type Fault uint8

// The faults. Those of the first group befall a call of any port, those of the
// second a call that changes something, those of the third the call that is
// named, and those of the fourth the world while nobody looks.
const (
	NoFault Fault = iota

	NotReached // provably not reached
	Lost       // an error that says nothing; nothing was done
	Permission // the account may not, or its credentials have expired
	Hang       // no answer until the caller gives up: the call, or the whole run
	Panic

	AnswerLost   // done, and nobody was told
	ErrorDone    // done, and an error that says nothing
	Late         // done later, within the settling time
	LateBeyond   // done later than the settling time: more than is promised (reliability.md B8)
	Twice        // done, and done once more within the settling time
	SuccessNone  // answered well, and not done
	Stale        // done, and shown later, within the settling time
	Flapping     // done, and shown now and then until the settling time is over
	SerialLost   // FetchLicense: the serial number is not found
	NotPrepared  // FetchLicense: not prepared for the migration
	EmptyFile    // FetchLicense: nothing
	GarbageFile  // FetchLicense: bytes that end in the middle
	OpaqueFile   // FetchLicense: a good file in an unknown form
	OpaqueWrong  // FetchLicense: the file of another server in an unknown form
	WrongSerial  // FetchLicense: the file of another server
	WrongCode    // FetchLicense: a license of a third code
	ExpiredFile  // FetchLicense
	TrialFile    // FetchLicense
	OtherBytes   // FetchLicense: says the same in other bytes
	WordOther    // FetchLicense: another word for Intellectual Property
	WordUnknown  // FetchLicense: a word that nobody knows
	NoSlot       // RegisterSerial
	Unreadable   // InstalledLicense: an error that says nothing
	WordMissing  // InstalledLicense: no word for Intellectual Property
	WordForeign  // InstalledLicense: the word in another language
	Rejected     // UploadLicense
	WrongServer  // UploadLicense: said to be for another environment
	PublishBusy  // RepublishModule: locked
	PublishError // RepublishModule: ends with an error
	PublishIPP   // RepublishModule: intellectual property
	PublishMoved // RepublishModule: somebody publishes another version meanwhile
	NoModule     // RepublishModule
	Deploying    // PauseDeployments: a deployment is running
	VaultGone    // BackupVault.Get: not found
	VaultDamaged // BackupVault.Get: every copy is damaged
	FewerCopies  // BackupVault.Put: one copy only
	NoBackup     // BackupLicense: cannot be done
	PersonNo     // the person says no
	PersonLate   // nobody answers
	ForeignCode  // somebody installs a license of a third code
	ForeignMove  // somebody installs the target license
	ForeignBack  // somebody installs the source license
	LicenseGone  // somebody removes the license
	SerialMoved  // the hardware changes, and with it the serial number
	PauseLost    // somebody resumes deployments
	ForeignPause // somebody pauses deployments
	ClockJump    // the wall clock jumps by a year
	Faults       // how many there are, and one
)

// method is a call of a port.
type method uint32

const (
	fetch method = 1 << iota
	lookSerial
	register
	read
	upload
	publish
	download
	inventory
	pause
	resume
	put
	get
	list
	openCase
	findCase
	ask

	any      = ask<<1 - 1
	mutating = register | upload | publish | pause | resume | openCase
)

// catalogue says what each fault is called and where it can strike. A fault
// that stays strikes every time until somebody mends it; one that passes ends
// with the bad weather ([World.Calm]).
var catalogue = [Faults]struct {
	name  string
	at    method // zero: in the world
	stays bool
	needs bool // stays after Calm: somebody must mend it
}{
	NotReached: {"not reached", any &^ ask, true, false},
	Lost:       {"lost before it was sent", any &^ ask, true, false},
	Permission: {"no permission", any &^ (put | get | list | ask), true, true},
	Hang:       {"no answer", any, false, false},
	Panic:      {"panic", any, false, false},

	AnswerLost:   {"done, answer lost", mutating, false, false},
	ErrorDone:    {"done, answered with an error", mutating, false, false},
	Late:         {"done late", mutating &^ (publish | openCase), false, false},
	LateBeyond:   {"done after the settling time", upload | register, false, false},
	Twice:        {"done twice", mutating &^ (publish | openCase), false, false},
	SuccessNone:  {"answered well, not done", mutating &^ (publish | openCase), false, false},
	Stale:        {"shown late", upload, false, false},
	Flapping:     {"shown now and then", upload, false, false},
	SerialLost:   {"serial number not found", fetch, true, true},
	NotPrepared:  {"not prepared", fetch, true, true},
	EmptyFile:    {"empty file", fetch, true, true},
	GarbageFile:  {"garbage file", fetch, true, true},
	OpaqueFile:   {"opaque file", fetch, true, true},
	OpaqueWrong:  {"opaque file of another server", fetch, true, true},
	WrongSerial:  {"file of another server", fetch, true, true},
	WrongCode:    {"file of a third code", fetch, true, true},
	ExpiredFile:  {"expired file", fetch, true, true},
	TrialFile:    {"trial file", fetch, true, true},
	OtherBytes:   {"other bytes", fetch, true, false},
	WordOther:    {"another word for intellectual property", fetch, true, true},
	WordUnknown:  {"an unknown word for intellectual property", fetch, true, true},
	NoSlot:       {"no slot", register, true, true},
	Unreadable:   {"page unreadable", read, true, false},
	WordMissing:  {"word not shown", read, true, true},
	WordForeign:  {"word in another language", read, true, true},
	Rejected:     {"license rejected", upload, true, true},
	WrongServer:  {"license said to be of another environment", upload, true, true},
	PublishBusy:  {"module locked", publish, true, false},
	PublishError: {"publish failed", publish, true, true},
	PublishIPP:   {"intellectual property error", publish, true, true},
	PublishMoved: {"another version published", publish, false, false},
	NoModule:     {"no such module", publish, true, true},
	Deploying:    {"deployment running", pause, true, false},
	VaultGone:    {"backup not found", get, true, true},
	VaultDamaged: {"backup damaged", get, true, true},
	FewerCopies:  {"one copy only", put, true, true},
	NoBackup:     {"installed license cannot be downloaded", download, true, false},
	PersonNo:     {"the person says no", ask, true, false},
	PersonLate:   {"nobody answers", ask, true, false},

	ForeignCode:  {"somebody installs a third code", 0, false, false},
	ForeignMove:  {"somebody installs the target license", 0, false, false},
	ForeignBack:  {"somebody installs the source license", 0, false, false},
	LicenseGone:  {"somebody removes the license", 0, false, false},
	SerialMoved:  {"serial number changes", 0, false, false},
	PauseLost:    {"somebody resumes deployments", 0, false, false},
	ForeignPause: {"somebody pauses deployments", 0, false, false},
	ClockJump:    {"the clock jumps", 0, false, false},
}

// String says what happens.
func (f Fault) String() string {
	if f < Faults {
		return catalogue[f].name
	}
	return "unknown"
}

// stuck is a fault that stays.
type stuck struct {
	fault  Fault
	method method
	env    int
}

// draw says what befalls a call.
func (w *World) draw(m method, env int) Fault {
	for _, s := range w.stuck {
		if s.method == m && s.env == env {
			w.fired(s.fault, env)
			return s.fault
		}
	}
	// Reading is most of what is done; what it meets would hide the rest.
	rate := w.rate * 4
	if m&(read|inventory|get|lookSerial) != 0 {
		rate = w.rate / 3
	}
	if w.calm || w.rng.Uint32N(1<<16) >= rate {
		return NoFault
	}
	n := 0
	for f := range Faults {
		if w.on&(1<<f) != 0 && catalogue[f].at&m != 0 {
			n++
		}
	}
	if n == 0 {
		return NoFault
	}
	n = w.rng.IntN(n)
	for f := range Faults {
		if w.on&(1<<f) == 0 || catalogue[f].at&m == 0 {
			continue
		}
		if n == 0 {
			if catalogue[f].stays && w.rng.IntN(2) == 0 {
				w.stuck = append(w.stuck, stuck{f, m, env})
			}
			w.fired(f, env)
			return f
		}
		n--
	}
	return NoFault
}

// fired counts a fault, and tells it.
func (w *World) fired(f Fault, env int) {
	w.Fired[f]++
	if w.Tell != nil {
		w.Tell("fault: " + f.String() + " in " + w.name(env))
	}
}
