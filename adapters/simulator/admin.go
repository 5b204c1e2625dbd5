package simulator

import (
	"bytes"
	"net/http"
	"strings"
)

// AdminHost is the host of the admin endpoint, by which faults are set and
// effects read while the simulation runs:
//
//	GET  /kinds, /operations   what there is
//	GET  /faults               what is still to come
//	POST /faults               a [Scenario], added to it
//	GET  /effects              what was really applied
const AdminHost = "admin.simulation.invalid"

// AdminHeader is the header in which the admin endpoint wants
// [Simulator.AdminToken]. A page in a browser cannot send it.
const AdminHeader = "X-Simulator-Token"

// administer answers at the admin endpoint.
func (s *Simulator) administer(c call) answer {
	if !same(c.Admin, s.admin) {
		return restError(http.StatusUnauthorized, "The header "+AdminHeader+" has to hold the token that was printed at the start.")
	}
	switch c.Method + " " + strings.TrimRight(c.Path, "/") {
	case "GET /kinds":
		return jsonAnswer(http.StatusOK, Kinds())
	case "GET /operations":
		return jsonAnswer(http.StatusOK, Operations())
	case "GET /faults":
		return jsonAnswer(http.StatusOK, s.toCome())
	case "GET /effects":
		effects := []string{}
		for _, e := range s.world.Effects() {
			effects = append(effects, e.String())
		}
		return jsonAnswer(http.StatusOK, effects)
	case "POST /faults":
		scenario, err := ReadScenario(bytes.NewReader(c.Body), s.world)
		if err == nil {
			err = s.inject(scenario.Faults)
		}
		if err != nil {
			return restError(http.StatusBadRequest, strings.Split(err.Error(), "\n")...)
		}
		return jsonAnswer(http.StatusOK, s.toCome())
	}
	return notFound()
}

// toCome are the faults that are still to come: a list, never null.
func (s *Simulator) toCome() Scenario { return Scenario{append([]Fault{}, s.memory.Faults...)} }
