package servicecenter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// stagingPath is the call that stages modules and publishes them (facts.md 3.4).
const stagingPath = "/ServiceCenter/rest/PlatformServices/Staging_PublishWith2StepOption"

// start begins a publish, and returns its id with what was said at once. An
// error that wraps a condition means that none was started.
func (p publisher) start(ctx context.Context, m module, solution string) (int, findings, error) {
	if solution != "" {
		id, err := p.startSolution(ctx, solution)
		return id, findings{}, err
	}
	return p.stage(ctx, m)
}

// startSolution publishes the prepared solution.
func (p publisher) startSolution(ctx context.Context, solution string) (int, error) {
	answer, err := p.soap(ctx, solutionsPage, publishRunningVersion(), p.account.User, p.account.Password, solution)
	if err != nil {
		return 0, unknown(err)
	}
	id, err := answer.number(0)
	if err == nil && id <= 0 {
		// What zero means here is not public; of a staging it is.
		err = fmt.Errorf("PublishRunningVersion of %s answers the id %d", printable.Text(solution), id)
	}
	if err != nil {
		return 0, unknown(err)
	}
	return id, nil
}

type (
	stagedModule struct {
		Module module `json:"REST_Module"`
	}
	staging struct {
		ModulesToPublish     []stagedModule
		ApplicationsToUpdate []struct{}
	}
	staged struct {
		PublishID *int `json:"publishId"`
		Messages  []struct {
			Message message `json:"REST_PublicationMessage"`
		}
	}
)

// stage publishes the module by itself, in two steps.
func (p publisher) stage(ctx context.Context, m module) (int, findings, error) {
	body, err := json.Marshal(staging{ModulesToPublish: []stagedModule{{m}}, ApplicationsToUpdate: []struct{}{}})
	if err != nil {
		return 0, findings{}, fmt.Errorf("%w: %w", adapters.ErrNotReached, err)
	}
	answer, err := p.do(ctx, wire.Request{
		Method: http.MethodPost,
		// The vendor's scripts send the words of their language.
		URL:    p.at(stagingPath, "StagingName="+url.QueryEscape("changeover "+m.Name)+"&TwoStepMode=True"),
		Header: http.Header{"Authorization": {"Basic " + p.account.basic()}, "Content-Type": {"application/json; charset=utf-8"}},
		Body:   body,
	})
	if err != nil {
		return 0, findings{}, unknown(err)
	}
	failed := func(err error) (int, findings, error) {
		return 0, findings{}, unknown(fmt.Errorf("%s: the staging answers %s: %s", printable.Text(p.base.Host), status(answer.Status), p.veil.text(err.Error())))
	}
	if answer.Status != http.StatusOK {
		return failed(errors.New("nothing that says whether a publish was started"))
	}
	text, err := answer.Text("application/json")
	if err != nil {
		return failed(err)
	}
	said, err := parseStaged(text)
	if err != nil {
		return failed(err)
	}
	var found findings
	if said.PublishID != nil && *said.PublishID > 0 {
		for _, item := range said.Messages {
			found.add(item.Message, p.veil)
		}
		return *said.PublishID, found, nil
	}
	// Not started: the messages are the reason, whatever their type.
	for _, item := range said.Messages {
		if strings.TrimSpace(item.Message.Message+item.Message.Detail) != "" {
			found.count(item.Message, p.veil)
		}
	}
	switch {
	case said.PublishID != nil && *said.PublishID < 0, said.PublishID == nil && found.errors == 0:
		return failed(errors.New("neither an id nor a reason"))
	case found.errors == 0:
		return 0, findings{}, fmt.Errorf("no publish was started, without a reason: %w", adapters.ErrBusy)
	}
	return 0, findings{}, fmt.Errorf("no publish was started: %s: %w", found.quoted(), found.notStarted())
}

// notStarted is what the reasons mean why nothing was started. Trying again is
// then no more than that (reliability.md S3.3), so it is the answer to every
// reason that does not rule it out; what does not pass is held after a few
// times.
func (f findings) notStarted() *adapters.Condition {
	switch {
	case f.foreign:
		return adapters.ErrIntellectualProperty
	case f.unlicensed:
		return adapters.ErrPublishFailed
	case f.denied:
		return adapters.ErrPermission
	}
	return adapters.ErrBusy
}

// parseStaged reads the answer to a staging.
func parseStaged(b []byte) (staged, error) {
	var s staged
	if wire.JSON(b, &s, false) != nil {
		// Not quoted: it repeats what it could not read.
		return staged{}, errors.New("an answer that is not of the known form")
	}
	return s, nil
}
