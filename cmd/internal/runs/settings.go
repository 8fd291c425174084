package runs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Alterations says how training photographs are altered, each epoch in another way. As text it
// is a list: flips,rotations.
type Alterations struct{ Flips, Rotations bool }

// MarshalText writes the list.
func (a Alterations) MarshalText() ([]byte, error) {
	var names []string
	if a.Flips {
		names = append(names, "flips")
	}
	if a.Rotations {
		names = append(names, "rotations")
	}
	return []byte(strings.Join(names, ",")), nil
}

// UnmarshalText reads the list.
func (a *Alterations) UnmarshalText(text []byte) error {
	*a = Alterations{}
	for name := range strings.SplitSeq(string(text), ",") {
		switch strings.TrimSpace(name) {
		case "flips":
			a.Flips = true
		case "rotations":
			a.Rotations = true
		case "":
			if len(text) == 0 {
				return nil
			}
			fallthrough
		default:
			return fmt.Errorf("expected flips, rotations or both with a comma between, found %.40q", text)
		}
	}
	return nil
}

// Every says how often something is done: after so many steps, or when so much time has passed.
// One of the two is 0.
type Every struct {
	Steps int
	Time  time.Duration
}

// MarshalText writes a number of steps or a duration.
func (e Every) MarshalText() ([]byte, error) {
	if e.Steps > 0 {
		return strconv.AppendInt(nil, int64(e.Steps), 10), nil
	}
	text := e.Time.String()
	for _, zero := range []string{"m0s", "h0m"} { // 5m0s is 5m
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return []byte(text), nil
}

// UnmarshalText reads a number of steps, as in 500, or a duration, as in 5m or 90s.
func (e *Every) UnmarshalText(text []byte) error {
	s := string(text)
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		*e = Every{Steps: n}
		return nil
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		*e = Every{Time: d}
		return nil
	}
	return fmt.Errorf("expected a number of steps such as 500, or a time such as 5m, found %.40q", s)
}

// free are the settings, by their names in JSON, that change nothing of what a training leads to.
var free = map[string]bool{"threads": true, "save_every": true, "tensorboard": true, "descriptions": true}

// flagOf are the flags that have other names than their settings in JSON.
var flagOf = map[string]string{"clip_gelu": "gelu", "clip_vision_heads": "heads", "clip_text_heads": "heads"}

// Difference returns the first flag in which other differs from f, with both values as JSON has
// them, among those that change what a training leads to; "" if there is none.
func (f *Flags) Difference(other *Flags) (flag, value, otherValue string) {
	a, b := reflect.ValueOf(f).Elem(), reflect.ValueOf(other).Elem()
	for _, field := range reflect.VisibleFields(a.Type()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous || free[name] {
			continue
		}
		x, y := inJSON(a.FieldByIndex(field.Index)), inJSON(b.FieldByIndex(field.Index))
		if x == y {
			continue
		}
		flag = flagOf[name]
		if flag == "" {
			flag = strings.ReplaceAll(name, "_", "-")
		}
		return flag, x, y
	}
	return "", "", ""
}

func inJSON(v reflect.Value) string {
	text, err := json.Marshal(v.Interface())
	if err != nil { // the settings are strings and numbers; NaN is refused before
		return err.Error()
	}
	return string(text)
}
