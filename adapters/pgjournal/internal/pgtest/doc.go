// Package pgtest gives tests a PostgreSQL server of their own: a real one, in a
// directory of its own, that ends with the test. It is for the tests of this
// module. It installs nothing; a machine without a server fails the tests, and
// is told what to install.
package pgtest
