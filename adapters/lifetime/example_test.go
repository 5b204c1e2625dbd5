package lifetime_test

import (
	"context"
	"fmt"
	"log"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func ExampleNew() {
	quality := environment.Environment{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "QQQ-AAA-BBB-CCC-DDD-EEE-FFF-111"}
	inf := environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
		quality,
		{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LLL-AAA-BBB-CCC-DDD-EEE-FFF-333"},
	}}
	// In place of a LifeTime; with a real one, leave TLS and Dial out.
	source, target := license.ActivationCode{}, license.ActivationCode{}
	sim, err := simulator.Start(fake.New(inf, source, target), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer sim.Close()

	lt, err := lifetime.New(inf, lifetime.Options{
		Token: func(context.Context) (string, error) { return simulator.DefaultToken, nil }, // from where secrets are kept
		TLS:   sim.TLS(), Dial: sim.Dial,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := lt.PauseDeployments(context.Background(), quality); err != nil {
		log.Fatal(err)
	}
	list, err := lt.Registered(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range list {
		fmt.Printf("%s at %s, paused: %v\n", r.Name, r.Address, r.Paused)
	}
	// Output:
	// Quality at qa.example.test, paused: true
}
