package command

import (
	"time"

	"github.com/changeover-go/changeover/license"
)

// schemaVersion is the version of what stands below. A change that a program
// could notice makes a new one.
const schemaVersion = 1

// The types below are the schema: schema.md is made from them, and what is
// read is held against them (strict.go). A field is required unless its tag
// says omitempty. Those that are the same as a type of the ports are converted,
// so that a field that is added there does not compile until it is added here.

// A requestHead begins every request.
type requestHead struct {
	Version int    `json:"version" doc:"1"`
	Port    string `json:"port" doc:"the port that is called"`
	Method  string `json:"method" doc:"the method that is called"`
}

// An answerHead begins every answer, also that of a call that was not done.
type answerHead struct {
	Version   int         `json:"version" doc:"1"`
	Method    string      `json:"method" doc:"the method of the request, repeated: a program that answers without having read its request is found out"`
	Testimony []testimony `json:"testimony,omitempty" doc:"who stated what during the call, for the journal; without secrets"`
}

type testimony struct {
	By   string    `json:"by" doc:"a person's name, or a system's"`
	At   time.Time `json:"at" doc:"when"`
	Text string    `json:"text,omitempty" doc:"what was stated"`
}

type site struct {
	Name          string               `json:"name" doc:"as in the plan"`
	Kind          string               `json:"kind" doc:"production, quality, development or lifetime"`
	ServiceCenter string               `json:"serviceCenter" doc:"base address, https"`
	Serial        license.SerialNumber `json:"serial" doc:"serial number of the server, as planned"`
}

// Requests.

type none struct{}

type ofSite struct {
	Environment site `json:"environment" doc:"which one"`
}

type ofCode struct {
	Code        string `json:"code" doc:"the activation code; secret"`
	Environment site   `json:"environment" doc:"which one"`
}

type upload struct {
	Environment site   `json:"environment" doc:"where"`
	File        []byte `json:"file" doc:"the license file; secret"`
}

type republish struct {
	Environment site   `json:"environment" doc:"where"`
	Module      string `json:"module" doc:"name of the module"`
}

type put struct {
	Label label  `json:"label" doc:"what the backup is"`
	File  []byte `json:"file" doc:"the license file; secret"`
}

type get struct {
	Serial license.SerialNumber `json:"serial" doc:"serial number of the server"`
	Digest license.Digest       `json:"digest" doc:"SHA-256 of the file, in lower-case hex"`
}

type ofSerial struct {
	Serial license.SerialNumber `json:"serial" doc:"serial number of the server"`
}

type ofCase struct {
	Case supportCase `json:"case" doc:"what Support is asked"`
}

type supportCase struct {
	Key     string `json:"key" doc:"the same for the same case"`
	Subject string `json:"subject" doc:"one line"`
	Body    string `json:"body" doc:"several lines"`
}

type ofKey struct {
	Key string `json:"key" doc:"of the case"`
}

type ask struct {
	Question question `json:"question" doc:"what the operator is asked"`
}

type question struct {
	Kind        string   `json:"kind" doc:"approval or attestation"`
	Subject     string   `json:"subject" doc:"stable name of the question"`
	Environment string   `json:"environment" doc:"name; empty: the infrastructure"`
	Text        string   `json:"text" doc:"to be answered with yes or no"`
	Details     []string `json:"details" doc:"what to know, or to do, before answering"`
}

// Answers.

type file struct {
	File []byte `json:"file" doc:"the license file; secret"`
}

type listed struct {
	Registered bool `json:"registered" doc:"whether the serial number is registered under the code"`
}

type installed struct {
	Server   license.SerialNumber `json:"server" doc:"the server's own serial number, not read from the license"`
	Code     string               `json:"code" doc:"activation code on the licensing page; empty: no license is installed"`
	Serial   license.SerialNumber `json:"serial" doc:"serial number on the licensing page; may be empty"`
	IPP      string               `json:"ipp" doc:"word shown for the feature Intellectual Property; may be empty"`
	Type     string               `json:"type" doc:"license type; may be empty"`
	Ends     string               `json:"ends" doc:"end date as a time; empty: none is shown, or Never"`
	Features []feature            `json:"features,omitempty" doc:"the other features; left out if they were not read"`
}

type feature struct {
	ID    string `json:"id" doc:"as in the license file; empty when read from a page"`
	Name  string `json:"name,omitempty" doc:"as on the page"`
	Limit string `json:"limit" doc:"a number or a word"`
}

type publication struct {
	Before string `json:"before" doc:"version that was published before"`
	After  string `json:"after" doc:"version that is published now"`
}

type registered struct {
	Environments []registeredSite `json:"environments" doc:"those that LifeTime controls, LifeTime excepted"`
}

type registeredSite struct {
	Name    string   `json:"name" doc:"as LifeTime has it"`
	Address string   `json:"address" doc:"host name, or base address; may be empty"`
	Cloud   bool     `json:"cloud" doc:"whether the vendor hosts it"`
	Paused  bool     `json:"paused" doc:"whether deployments to it are paused now"`
	Running []string `json:"running" doc:"deployments that are running"`
}

type label struct {
	Environment string               `json:"environment" doc:"name, for people"`
	Serial      license.SerialNumber `json:"serial" doc:"serial number of the server"`
	Role        license.Role         `json:"role" doc:"whose license it is, for example source or target"`
	Origin      string               `json:"origin" doc:"where the file comes from"`
}

type kept struct {
	Record record `json:"record" doc:"the record of the file, which every copy has been read back for"`
}

type inventory struct {
	Records []record `json:"records" doc:"oldest generation first"`
}

type record struct {
	Label      label          `json:"label" doc:"as it was stored"`
	Digest     license.Digest `json:"digest" doc:"SHA-256 of the file, in lower-case hex"`
	Generation int            `json:"generation" doc:"counts from 1 for each serial number"`
	Copies     int            `json:"copies" doc:"that were read back now and have the digest"`
	At         time.Time      `json:"at" doc:"when it was stored"`
}

type reference struct {
	Reference string `json:"reference" doc:"by which Support knows the case"`
}

type yes struct {
	By   string    `json:"by" doc:"who said yes; not empty"`
	At   time.Time `json:"at" doc:"when"`
	Text string    `json:"text,omitempty" doc:"what was seen or said"`
}
