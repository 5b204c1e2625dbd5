package pgjournal

// Migrations are the statements of each version.
var Migrations = migrations
