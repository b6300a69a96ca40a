package main

import (
	"math/rand"
	"sync"
	"time"
)

// Ears are what a caller hears of the agent's voice.
type Ears struct {
	lock    sync.Mutex
	first   time.Time
	last    time.Time
	inRow   int
	voicing bool
	spoken  int
}

// take is given a packet's size; a voice that has begun is told once.
func (ears *Ears) take(size int, now time.Time) (time.Time, bool) {
	ears.lock.Lock()
	defer ears.lock.Unlock()
	if size < voiceBytes {
		if !ears.voicing {
			ears.inRow = 0
		}
		return time.Time{}, false
	}
	if ears.inRow == 0 {
		ears.first = now
	}
	ears.inRow++
	ears.last = now
	if ears.voicing || ears.inRow < voicePackets {
		return time.Time{}, false
	}
	ears.voicing = true
	ears.spoken++
	return ears.first, true
}

// quiet is how long nobody has spoken; `ended` once for each voice, and when its last sound was.
func (ears *Ears) quiet(now time.Time) (ended bool, at time.Time) {
	ears.lock.Lock()
	defer ears.lock.Unlock()
	if !ears.voicing || now.Sub(ears.last) < pauseTime {
		return false, ears.last
	}
	ears.voicing = false
	ears.inRow = 0
	return true, ears.last
}

// Mind decides what a caller says: a question, when the agent has answered the one before.
type Mind struct {
	caller  *Caller
	random  *rand.Rand
	line    int
	place   int
	talking bool
	sent    int
	// When the next question is due; zero as long as the agent is expected to speak, or speaks.
	due time.Time
	// When to ask though there was no answer.
	giveUp time.Time
}

// packet is what the caller sends now.
func (mind *Mind) packet(now time.Time) []byte {
	script := mind.caller.script
	if ended, at := mind.caller.ears.quiet(now); ended {
		mind.caller.tell("silence", map[string]any{"at": seconds(at)})
		spread := mind.random.Int63n(int64(longestPause - shortestPause))
		mind.due = now.Add(shortestPause + time.Duration(spread))
	}
	if mind.giveUp.IsZero() {
		mind.giveUp = now.Add(patience)
	}
	if !mind.talking && mind.mayAsk(now) {
		mind.talking, mind.place = true, 0
		mind.caller.tell("asks", map[string]any{"line": mind.line})
		mind.announce(now)
	}
	if !mind.talking {
		mind.sent++
		return script.Quiet[mind.sent%len(script.Quiet)]
	}
	line := script.Lines[mind.line%len(script.Lines)]
	packet := line.Packets[mind.place]
	if mind.place == line.LastSound {
		mind.caller.tell("asked", map[string]any{"line": mind.line})
		mind.due = time.Time{}
		mind.giveUp = now.Add(patience)
	}
	mind.place++
	if mind.place == len(line.Packets) {
		mind.talking = false
		mind.line++
	}
	return packet
}

// announce says on the stage when the first word of the line that begins now will be sent.
func (mind *Mind) announce(now time.Time) {
	stage, script := mind.caller.stage, mind.caller.script
	if stage == nil {
		return
	}
	line := script.Lines[mind.line%len(script.Lines)]
	lastMs := line.LastSound * int(packetTime.Milliseconds())
	firstMs := lastMs - line.Words[len(line.Words)-1].EndMs
	stage.says(mind.caller.join.Room, mind.line, now.Add(milliseconds(firstMs)))
}

func (mind *Mind) mayAsk(now time.Time) bool {
	if mind.caller.join.Timed {
		return !now.Before(mind.giveUp)
	}
	ears := &mind.caller.ears
	ears.lock.Lock()
	voicing := ears.voicing
	ears.lock.Unlock()
	if voicing {
		return false
	}
	if !mind.due.IsZero() {
		return !now.Before(mind.due)
	}
	return !now.Before(mind.giveUp)
}
