package live

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds on the event streams.
const (
	tick     = time.Second      // between two reports of how far the training is
	patience = 10 * time.Second // for a browser that does not take what it is sent
)

var discard = log.New(io.Discard, "", 0) // what browsers do wrong is nothing to the one who trains

// serveEvents streams what changes:
//
//	event: order     data: ["top", "data", "net-multi", …]             the parts of the page
//	event: section   data: {"ID": "net-multi", "HTML": "<section …"}   one of them is new
//	event: now       data: {"share": 0.25, "text": "Epoch 3/10 …"}     how far the training is
//
// The id of an event has the version of the page, from which a browser goes on when its
// connection breaks, after the server's own name: at the next training another server may
// answer at the same address, whose versions count something else. Each stream sends the newest
// state, however many there were before.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	sent := 0
	if version, ok := strings.CutPrefix(r.Header.Get("Last-Event-ID"), s.name+"-"); ok {
		sent, _ = strconv.Atoi(version)
	}
	if _, err := fmt.Fprintf(w, "retry: %d\n\n", tick.Milliseconds()); err != nil {
		return
	}
	var told Now
	first := true
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		s.mu.Lock()
		now, version, order, changed := s.now, s.version, s.order, s.changed
		var fresh []section
		for _, x := range s.sections {
			if x.version > sent {
				fresh = append(fresh, x)
			}
		}
		s.mu.Unlock()
		control.SetWriteDeadline(time.Now().Add(patience))
		id := fmt.Sprintf("%s-%d", s.name, version)
		wrote := len(fresh) > 0
		if wrote && send(w, "order", id, order) != nil {
			return
		}
		for _, x := range fresh {
			if send(w, "section", id, x.event) != nil {
				return
			}
		}
		sent = version
		if now != told || first {
			text, err := json.Marshal(now)
			if err != nil || send(w, "now", id, text) != nil {
				return
			}
			told, first, wrote = now, false, true
		}
		if wrote && control.Flush() != nil {
			return
		}
		if now.Ended {
			return
		}
		select {
		case <-changed:
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}

// send writes one event. Its data has no line breaks.
func send(w io.Writer, event, id string, data []byte) error {
	_, err := fmt.Fprintf(w, "event: %s\nid: %s\ndata: %s\n\n", event, id, data)
	return err
}
