package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"example.org/portal/globus"
	"example.org/portal/routes/database"
	"example.org/portal/routes/session"
)

// A parser of a setting writes the field only if it can use the value. Errors
// follow the setting's name; those about values that may be secret do not quote them.

func text(field *string) func(string) error {
	return func(value string) error {
		*field = value
		return nil
	}
}

func oneOf(field *string, words ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(words, value) {
			return fmt.Errorf("must be %s, not %q", strings.Join(words, " or "), value)
		}
		*field = value
		return nil
	}
}

func boolean(field *bool) func(string) error {
	return func(value string) error {
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("must be true or false, not %q", value)
		}
		*field = b
		return nil
	}
}

func duration(field *time.Duration, least time.Duration) func(string) error {
	return func(value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("must be a length of time, such as 12h or 30m, not %q", value)
		}
		if d < least {
			return fmt.Errorf("must be at least %v, not %s", least, value)
		}
		*field = d
		return nil
	}
}

func level(field *slog.Level) func(string) error {
	return func(value string) error {
		var l slog.Level
		if err := l.UnmarshalText([]byte(value)); err != nil {
			return fmt.Errorf("must be debug, info, warn or error, not %q", value)
		}
		*field = l
		return nil
	}
}

func uuid(field *string) func(string) error {
	return func(value string) error {
		if !globus.IsUUID(value) {
			return errors.New("must be the Client UUID of the registration")
		}
		*field = value
		return nil
	}
}

func address(field *string) func(string) error {
	return func(value string) error {
		_, port, err := net.SplitHostPort(value)
		if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 {
			return errors.New("must be host:port, such as 127.0.0.1:8888")
		}
		*field = value
		return nil
	}
}

func publicURL(field **url.URL) func(string) error {
	return func(value string) error {
		u, err := ParsePublicURL(value)
		if err == nil {
			*field = u
		}
		return err
	}
}

func store(field *string) func(string) error {
	return func(value string) error {
		if err := session.CheckStore(value); err != nil {
			return err
		}
		*field = value
		return nil
	}
}

func databaseName(field *string) func(string) error {
	return func(value string) error {
		if err := database.Check(value); err != nil {
			return err
		}
		*field = value
		return nil
	}
}

func issuer(field *string) func(string) error {
	return func(value string) error {
		if err := globus.CheckIssuer(value); err != nil {
			return wrong(err)
		}
		*field = value
		return nil
	}
}

func scopes(field *globus.Scopes) func(string) error {
	return func(value string) error {
		all, err := globus.ParseScopes(value)
		if err != nil {
			return errors.New("must be scopes, separated by blanks")
		}
		if !slices.Contains(all.Texts(), "openid") {
			return errors.New("must include openid")
		}
		*field = all
		return nil
	}
}

func domains(field *[]string) func(string) error {
	return list(field, func(all []string) error { return globus.Policy{Domains: all}.Check() })
}

func groups(field *[]string) func(string) error {
	return list(field, func(all []string) error { return globus.Policy{Groups: all}.Check() })
}

// list parses values that are separated by commas, blanks or both.
func list(field *[]string, check func([]string) error) func(string) error {
	return func(value string) error {
		all := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
		if len(all) == 0 {
			return errors.New("must have an entry, or be unset")
		}
		if err := check(all); err != nil {
			return wrong(err)
		}
		*field = all
		return nil
	}
}

// wrong makes an error of package globus one that follows a setting's name.
func wrong(err error) error {
	return errors.New("is wrong: " + strings.TrimPrefix(err.Error(), "globus: "))
}
