// Package archtest holds the tests about the repository itself: who may import
// whom, which modules a consumer compiles in, what is documented, which calls
// are forbidden where, whether links in comments lead somewhere, and what may
// stand in a file. It is for everybody who changes changeover; nothing imports
// it, and it has no code outside its tests.
//
// The rules are data, in policy_test.go, each with its reason. To make a build
// pass, change the code; to change a rule, write down in docs/adr why. Every
// rule is a pure function over parsed sources, and is itself tested with small
// sources that break it.
package archtest
