package main

import (
	"sync"
	"time"
)

const (
	// How many of its last lines a room remembers.
	remembered = 4
	// A word after so much silence in its line may be the first that a session hears.
	gapMs = 200
	// Sound that begins further from any line's beginning is none of them.
	strayMs = 1000
	// From the caller's microphone to a session, until one has been measured.
	usualDelay = 120 * time.Millisecond
)

// Stage knows what each caller says and since when, so that several sessions hear the same of it,
// wherever in a line they begin. Its callers and providers are one program.
type Stage struct {
	lock   sync.Mutex
	said   map[string][]Spoken
	delays map[string]time.Duration
}

// Spoken is a line of a caller; `since` is when its first word began.
type Spoken struct {
	line  int
	since time.Time
}

func newStage() *Stage {
	return &Stage{said: map[string][]Spoken{}, delays: map[string]time.Duration{}}
}

func (stage *Stage) says(room string, line int, since time.Time) {
	stage.lock.Lock()
	defer stage.lock.Unlock()
	said := append(stage.said[room], Spoken{line, since})
	stage.said[room] = said[max(0, len(said)-remembered):]
}

// lines are the last ones of a room, and how long its sound takes to a session.
func (stage *Stage) lines(room string) ([]Spoken, time.Duration) {
	stage.lock.Lock()
	defer stage.lock.Unlock()
	delay, measured := stage.delays[room]
	if !measured {
		delay = usualDelay
	}
	return append([]Spoken(nil), stage.said[room]...), delay
}

func (stage *Stage) measured(room string, delay time.Duration) {
	stage.lock.Lock()
	defer stage.lock.Unlock()
	stage.delays[room] = delay
}

// Place is where in a line a session begins to hear it.
type Place struct {
	spoken Spoken
	// The first word that is heard, and its distance from the line's first one.
	word    int
	startMs int
}

// onset is the place whose sound begins at `at`, which is when a session received it.
func (stage *Stage) onset(script *Script, room string, at time.Time) (Place, bool) {
	lines, delay := stage.lines(room)
	best, distance := Place{}, milliseconds(strayMs)
	for _, spoken := range lines {
		words := script.Lines[spoken.line%len(script.Lines)].Words
		for place, word := range words {
			if place > 0 && word.StartMs-words[place-1].EndMs < gapMs {
				continue
			}
			expected := spoken.since.Add(delay + milliseconds(word.StartMs))
			if off := at.Sub(expected).Abs(); off < distance {
				best, distance = Place{spoken, place, word.StartMs}, off
			}
		}
	}
	if distance >= milliseconds(strayMs) {
		return best, false
	}
	if best.word == 0 {
		stage.measured(room, at.Sub(best.spoken.since))
	}
	return best, true
}

// middle is the place in a line that is being said when a session receives its sound at `at`.
func (stage *Stage) middle(script *Script, room string, at time.Time) (Place, bool) {
	lines, delay := stage.lines(room)
	for _, spoken := range lines {
		words := script.Lines[spoken.line%len(script.Lines)].Words
		inMs := int(at.Sub(spoken.since.Add(delay)).Milliseconds())
		if inMs < 0 || inMs > words[len(words)-1].EndMs {
			continue
		}
		place := 0
		for place < len(words) && words[place].StartMs < inMs {
			place++
		}
		return Place{spoken, place, inMs}, true
	}
	return Place{}, false
}
