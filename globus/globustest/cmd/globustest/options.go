package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"example.org/portal/globus/globustest"
)

// options are the flags, with the content of the -config file.
type options struct {
	listen string
	cfg    globustest.Config
}

func readOptions(args []string) (options, error) {
	o := options{listen: "127.0.0.1:8890"}
	var clients []globustest.Client
	var config string
	flags := flag.NewFlagSet("globustest", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error, once
	flags.Usage = func() {}
	flags.StringVar(&o.listen, "listen", o.listen, "")
	flags.StringVar(&o.cfg.Issuer, "issuer", "", "")
	flags.StringVar(&o.cfg.StateFile, "state", "", "")
	flags.StringVar(&config, "config", "", "")
	flags.DurationVar(&o.cfg.TokenLifetime, "token-lifetime", 0, "")
	flags.BoolVar(&o.cfg.Strict, "strict", false, "")
	flags.Func("client", "", func(value string) error {
		id, secret, _ := strings.Cut(value, ":")
		clients = append(clients, globustest.Client{ID: id, Secret: secret})
		return nil
	})
	flags.Func("redirect", "", func(value string) error {
		if len(clients) == 0 {
			return errors.New("it belongs to the -client before it, and there is none")
		}
		last := &clients[len(clients)-1]
		last.RedirectURIs = append(last.RedirectURIs, value)
		return nil
	})
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return options{}, err
	} else if err != nil {
		return options{}, fmt.Errorf("%w; run globustest -h for usage", err)
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q; run globustest -h for usage", flags.Arg(0))
	}
	if config != "" {
		if err := readConfig(config, &o.cfg); err != nil {
			return options{}, fmt.Errorf("%s: %w", config, err)
		}
	}
	o.cfg.Clients = append(o.cfg.Clients, clients...)
	if len(o.cfg.Clients) == 0 {
		return options{}, errors.New("no app is registered: name one with -client ID:SECRET and -redirect URI, or with -config FILE; run globustest -h for usage")
	}
	return o, nil
}
