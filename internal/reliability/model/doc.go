// Package model walks through everything that can happen to a run, breadth
// first: the tables as they are shipped, or as a user has extended them, under
// a small model of the engine and of the world. It is for the tier "model" of
// package reliability and for the public test kit.
//
// States, edges, guards, needs, caught conditions and what may be repeated are
// read from the tables; guards are the tables' own functions, asked about facts
// that are built from the model's. What the model has of its own is how effects
// are decided on, recorded, made and settled, what the coordinator does between
// them, and a world of few bits, in which a bounded number of things go wrong.
// A law.Monitor is part of every state.
//
// What it finds is a list of moves that leads from the beginning to the broken
// law, as short as there is one: in words, drawn, and as a test that replays it.
//
// It does not know the steps that carry effects out: that they do what the
// model takes them to do is what the tiers with the real engine show.
package model
