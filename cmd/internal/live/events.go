package live

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"time"
)

// Bounds on the event streams.
const (
	maxStreams = 1024
	tick       = time.Second      // between two reports of how far the training is
	patience   = 10 * time.Second // for a browser that does not take what it is sent
)

var discard = log.New(io.Discard, "", 0) // what browsers do wrong is nothing to the one who trains

// serveEvents streams what changes:
//
//	event: section   data: {"ID": "net-multi", "HTML": "<section …"}   a part of the page is new
//	event: now       data: {"share": 0.25, "text": "Epoch 3/10 …"}     how far the training is
//
// The id of an event is the version of the page, from which a browser goes on when its
// connection breaks. Each stream sends the newest state, however many there were before.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	full := s.streams >= maxStreams
	if !full {
		s.streams++
	}
	s.mu.Unlock()
	if full {
		http.Error(w, "too many browsers are open", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		s.mu.Lock()
		s.streams--
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	sent, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	var told Now
	first := true
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		s.mu.Lock()
		now, version, changed := s.now, s.version, s.changed
		var fresh []section
		for _, x := range s.sections {
			if x.version > sent {
				fresh = append(fresh, x)
			}
		}
		s.mu.Unlock()
		control.SetWriteDeadline(time.Now().Add(patience))
		wrote := false
		for _, x := range fresh {
			if send(w, "section", version, x.event) != nil {
				return
			}
			wrote = true
		}
		sent = version
		if now != told || first {
			text, err := json.Marshal(now)
			if err != nil || send(w, "now", version, text) != nil {
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
func send(w io.Writer, event string, id int, data []byte) error {
	_, err := fmt.Fprintf(w, "event: %s\nid: %d\ndata: %s\n\n", event, id, data)
	return err
}
