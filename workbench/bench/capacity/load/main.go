// Load for `make capacity` and `make rollout`, in one program, so that it costs next to nothing beside what is measured.
//
//	load callers SCRIPT     n callers over WebRTC, who neither encode nor decode
//	load providers SCRIPT   stand-ins for AssemblyAI and OpenAI, who follow the script
//	load both SCRIPT        the two in one, so that any number of sessions hear the same of a caller
//
// All write one line of JSON when they are ready, and one for each event; they end with SIGTERM.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Word is when a word is said, counted from the line's first sound.
type Word struct {
	Text    string `json:"text"`
	StartMs int    `json:"start_ms"`
	EndMs   int    `json:"end_ms"`
}

// Line is a question: its words, and its sound as Opus packets of 20 ms.
type Line struct {
	Words   []Word   `json:"words"`
	Packets [][]byte `json:"packets"`
	// The packet with the last sound.
	LastSound int `json:"last_sound"`
}

// Script is all that callers and providers say.
type Script struct {
	Lines []Line `json:"lines"`
	// The line's noise between questions, as Opus packets of 20 ms.
	Quiet [][]byte `json:"quiet"`
	// The agent's voice: 16 bits, mono, 24 kHz.
	Speech []byte `json:"speech"`
	Delays Delays `json:"delays"`
	// Whether answers count the questions and words of the conversation so far.
	Counts bool `json:"counts"`
}

// Delays of the providers, in milliseconds.
type Delays struct {
	TranscriptMs int `json:"transcript_ms"`
	TwinMs       int `json:"twin_ms"`
	FirstTokenMs int `json:"first_token_ms"`
	FirstSoundMs int `json:"first_sound_ms"`
}

var (
	writing sync.Mutex
	began   = time.Now()
)

// tell writes one line; `at` is in seconds since 1970, by a clock that is never set.
func tell(event string, fields map[string]any) {
	at := began.Add(time.Since(began))
	fields["event"] = event
	if _, given := fields["at"]; !given {
		fields["at"] = seconds(at)
	}
	line, _ := json.Marshal(fields)
	writing.Lock()
	defer writing.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func seconds(at time.Time) float64 {
	return float64(at.UnixNano()) / 1e9
}

func milliseconds(count int) time.Duration {
	return time.Duration(count) * time.Millisecond
}

func serve(handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	tell("ready", map[string]any{"address": listener.Addr().String()})
	return http.Serve(listener, handler)
}

func run() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: load callers|providers|both SCRIPT")
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		return err
	}
	var script Script
	if err := json.Unmarshal(text, &script); err != nil {
		return err
	}
	switch os.Args[1] {
	case "callers":
		return serve(newCallers(&script, nil))
	case "providers":
		return serve(newProviders(&script, nil))
	case "both":
		stage := newStage()
		all := http.NewServeMux()
		callers := newCallers(&script, stage)
		all.Handle("POST /join", callers)
		all.Handle("POST /leave", callers)
		all.Handle("/", newProviders(&script, stage))
		return serve(all)
	}
	return fmt.Errorf("neither callers, providers nor both: %s", os.Args[1])
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
