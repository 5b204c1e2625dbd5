package main

// A demand is what a figure is to reach.
type demand struct {
	what  string  // is measured
	unit  string  // of both sides of a ratio
	want  float64 // what the design wants
	bound float64 // what the check demands, which leaves room for a noisy machine; zero: the check leaves it alone
	least bool    // want and bound are what must be reached, not what must not be exceeded
	// why says what keeps the figure from being reached, by which table that
	// can be seen, and what was tried. It is shown only as long as the figure
	// is not reached.
	why string
}

func (d demand) holds(x, limit float64) bool {
	if d.least {
		return x >= limit
	}
	return x <= limit
}

// word stands before a limit.
func (d demand) word() string {
	if d.least {
		return "at least"
	}
	return "at most"
}

// demands are all of them.
type demands struct {
	stream, grouped, makespan, fire, modules demand
	peers100, peers1000                      demand
	resting, flying, left, goroutines        demand
	replay, replayed, status                 demand
}

// all is every figure, every bound and every excuse: who tightens one does it
// here.
func all() demands {
	return demands{
		stream: demand{
			what: "one durable step, single stream, over a bare write and fdatasync of the same bytes", unit: "µs",
			want: 1.15, bound: 2,
			why: "The table below says how long the processors are busy for such a step, and with what; the system calls are in what it stands beside as well. " +
				"The rest is hand-over: from the goroutine of the effect to the one that decides, to the one that writes, and back, each to a thread that may have gone to sleep while the disk worked. " +
				"Tried: an outcome and the next intent in one append; encoding and hashing without reflection, into one buffer; fdatasync, which took as long as fsync; one heap for the deadlines of all calls instead of a timer for each. Writing over filler would save a fifth, and was refused: docs/adr/0017 says why.",
		},
		grouped: demand{
			what: "durable steps/s, 512 in flight, over bare group-committed appends of the same bytes by 512 writers", unit: "/s",
			want: 0.8, bound: 0.1, least: true,
			why: "The table below says how busy the processors are with such steps, and with what; how many steps share a sync is counted further down. What it stands beside copies bytes and wakes its writers, and does nothing else: it encodes nothing, chains nothing, decides nothing and calls nothing. " +
				"Tried: an outcome and the next intent in one append; one goroutine that writes all that waits while another settles what comes back; encoding and hashing without reflection; no line of log and no context that nobody needs.",
		},
		makespan: demand{
			what: "1,000 environments x 6 steps x 20 ms, 100 in flight, over the same waits behind a semaphore", unit: "s",
			want: 1.02, bound: 1.6,
			why: "In each of the 100 places 60 effects follow one another, and between two of them an outcome and an intent become durable; further down stands how long a step waits for that with 100 in flight. 60 times that is what is missing, and the table below says how much of it the processors were busy. " +
				"Tried: one append for both; writing while outcomes are settled; one heap for the deadlines of all calls.",
		},
		fire: demand{
			what: "Fire with reasons, over bare stateless", unit: "ns",
			want: 1.5, bound: 2,
			why: "Fire asks its guards first, for the reasons, and then has stateless decide. It allocates once more than stateless does, which a test holds. Tried: guards and ways out compiled into slices, nothing formatted unless it is refused.",
		},
		modules: demand{
			what: "third-party modules in a program that uses changeover",
			want: 5,
			why:  "The list of what may be imported is closed; see internal/archtest.",
		},
		peers100:  peers("100"),
		peers1000: peers("1,000"),
		resting: demand{
			what: "heap for a waiting environment, of 100,000", unit: "bytes",
			want: 1024, bound: 1024,
			why: "It is counted after a collection of garbage, so this is what the engine keeps: name, state and facts.",
		},
		flying: demand{
			what: "heap and stacks with 100,000 calls under way", unit: "MB",
			want: 512, bound: 600,
			why: "Further down the stacks stand apart: each call has a goroutine, whose stack begins with 2 kB and doubles when the step needs more below the engine's own frames. " +
				"Tried: one heap for the deadlines of all calls instead of a context with a timer for each.",
		},
		left: demand{
			what: "bytes of heap left when 100,000 calls are over", bound: 1e6,
		},
		goroutines: demand{
			what: "goroutines left when 100,000 calls are over", bound: 0.5, // none
		},
		replay: demand{
			what: "replay of 1,000,000 entries, beside reading and hashing the same bytes", unit: "entries/s",
			want: 1e6, least: true,
			why: "Every line is read, hashed, decoded and folded; the table below has how much each takes. " +
				"Tried: decoding without reflection; names that come again kept once; hashing the bytes as they stand in the file.",
		},
		replayed: demand{
			what: "replay, over reading and hashing the same bytes", unit: "entries/s",
			bound: 0.15, least: true,
		},
		status: demand{
			what: "status of a journal of 1,000,000 entries", unit: "s",
			want: 2,
			why:  "It is the replay, and the report, which keeps every entry for its timeline. Tried: keeping them in blocks that are never copied.",
		},
	}
}

// peers is the demand on so many instances, beside the fastest durable peer.
func peers(instances string) demand {
	return demand{
		what: "durable steps/s, " + instances + " instances, over the fastest durable peer", unit: "/s",
		want: 20, least: true,
		why: "With few instances a step waits for its own sync, as a peer's does; how long stands further down. With many the processors are what limits it: see the table below.",
	}
}
