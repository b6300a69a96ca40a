package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	windowMs = 10
	// The mean square of 16-bit samples from which a window is a voice: -45 dB.
	loud = 184 * 184
	// A word is known this long after it began.
	audibleMs = 80
	// A new line begins after this much silence.
	betweenMs = 300
	// Where a session begins in the middle of a line is known after this long.
	joinMs = 300
)

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

// Hearing is one session of the stand-in for AssemblyAI: when somebody begins to speak, the next
// line's words appear, by the audio's clock. It knows raw sound of 16 bits only.
type Hearing struct {
	script     *Script
	window     int // samples
	minimumMs  int
	hasTwin    bool
	out        chan outgoing
	rest       []byte
	nowMs      int
	lastLoudMs int
	next       int
	order      int
	line       *Line
	startMs    int
	told       int
	// The first word of the line that this session hears.
	skipped int
	// With a stage: whose sound it is, when the session's sound began if none of it was late, and
	// the line that was heard last.
	stage  *Stage
	room   string
	zero   time.Time
	opened time.Time
	last   Spoken
	joins  bool
	loudMs int
}

type outgoing struct {
	due     time.Time
	message map[string]any
}

func (providers *Providers) hear(response http.ResponseWriter, request *http.Request) {
	socket, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	query := request.URL.Query()
	hearing := &Hearing{
		script: providers.script, window: number(query, "sample_rate", 16000) * windowMs / 1000,
		minimumMs: number(query, "min_turn_silence", 160),
		hasTwin:   strings.EqualFold(query.Get("format_turns"), "true"),
		out:       make(chan outgoing, 1000), lastLoudMs: -betweenMs,
		stage: providers.stage, room: strings.Trim(query.Get("keyterms_prompt"), `[]"`),
	}
	defer close(hearing.out)
	go hearing.write(socket)
	hearing.send(0, map[string]any{
		"type": "Begin", "id": strconv.FormatInt(time.Now().UnixNano(), 36),
		"expires_at":    time.Now().Unix() + 10800,
		"configuration": map[string]any{"model": query.Get("speech_model"), "api_version": "2025-05-12"},
	})
	for {
		kind, frame, err := socket.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.BinaryMessage {
			hearing.listen(frame)
		} else {
			hearing.obey(frame)
		}
	}
}

func number(query url.Values, name string, usual int) int {
	if given, err := strconv.Atoi(query.Get(name)); err == nil {
		return given
	}
	return usual
}

func (hearing *Hearing) write(socket *websocket.Conn) {
	for each := range hearing.out {
		time.Sleep(time.Until(each.due))
		if socket.WriteJSON(each.message) != nil {
			return
		}
		if each.message["type"] == "Termination" {
			closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "Session Ended")
			socket.WriteMessage(websocket.CloseMessage, closing)
		}
	}
}

func (hearing *Hearing) send(delayMs int, message map[string]any) {
	hearing.out <- outgoing{time.Now().Add(milliseconds(delayMs)), message}
}

func (hearing *Hearing) obey(text []byte) {
	var message struct {
		Type       string `json:"type"`
		MinSilence int    `json:"min_turn_silence"`
	}
	if json.Unmarshal(text, &message) != nil {
		return
	}
	switch message.Type {
	case "UpdateConfiguration":
		if message.MinSilence > 0 {
			hearing.minimumMs = message.MinSilence
		}
	case "ForceEndpoint":
		hearing.end()
	case "Terminate":
		hearing.end()
		hearing.send(50, map[string]any{
			"type": "Termination", "audio_duration_seconds": hearing.nowMs / 1000,
			"session_duration_seconds": hearing.nowMs / 1000,
		})
	}
}

func (hearing *Hearing) listen(sound []byte) {
	hearing.keepTime(len(sound))
	sound = append(hearing.rest, sound...)
	for len(sound) >= 2*hearing.window {
		sum := 0
		for place := 0; place < 2*hearing.window; place += 2 {
			sample := int(int16(uint16(sound[place]) | uint16(sound[place+1])<<8))
			sum += sample * sample
		}
		hearing.step(sum > loud*hearing.window)
		sound = sound[2*hearing.window:]
	}
	hearing.rest = append(hearing.rest[:0:0], sound...)
}

func (hearing *Hearing) step(isLoud bool) {
	if isLoud {
		if hearing.line == nil && hearing.nowMs-hearing.lastLoudMs >= betweenMs {
			hearing.begin()
		}
		hearing.lastLoudMs = hearing.nowMs
	}
	if hearing.joins && time.Since(hearing.opened) > milliseconds(joinMs) {
		hearing.join()
	}
	hearing.nowMs += windowMs
	if hearing.line == nil {
		return
	}
	words := hearing.line.Words
	audible := hearing.audible()
	if audible > max(hearing.told, hearing.skipped) {
		hearing.told = audible
		hearing.turn(hearing.script.Delays.TranscriptMs, audible, audible-1, false, false)
	}
	if hearing.nowMs-hearing.startMs >= words[len(words)-1].EndMs+hearing.minimumMs {
		hearing.end()
	}
}

// keepTime notes when this session's sound would have begun if none of it had been late.
func (hearing *Hearing) keepTime(bytes int) {
	now := time.Now()
	length := milliseconds(hearing.nowMs + (len(hearing.rest)+bytes)*windowMs/2/hearing.window)
	if zero := now.Add(-length); hearing.opened.IsZero() || zero.Before(hearing.zero) {
		hearing.zero = zero
	}
	if hearing.opened.IsZero() {
		hearing.opened = now
	}
}

// begin opens the line that somebody begins to say now.
func (hearing *Hearing) begin() {
	if hearing.stage == nil {
		hearing.open(hearing.next, 0, 0)
		return
	}
	if hearing.nowMs < betweenMs {
		hearing.joins, hearing.loudMs = true, hearing.nowMs
		return
	}
	place, found := hearing.onset(hearing.nowMs)
	if found && place.spoken != hearing.last {
		hearing.last = place.spoken
		hearing.open(place.spoken.line, place.word, place.startMs)
	}
}

func (hearing *Hearing) onset(atMs int) (Place, bool) {
	at := hearing.zero.Add(milliseconds(atMs))
	return hearing.stage.onset(hearing.script, hearing.room, at)
}

// join opens a line of which the first words were said before the session was there.
func (hearing *Hearing) join() {
	hearing.joins = false
	place, found := hearing.stage.middle(hearing.script, hearing.room, hearing.zero)
	beforeMs := place.startMs + hearing.nowMs
	if !found {
		place, found = hearing.onset(hearing.loudMs)
		beforeMs = place.startMs + hearing.nowMs - hearing.loudMs
	}
	if found && hearing.line == nil {
		hearing.last = place.spoken
		hearing.open(place.spoken.line, place.word, beforeMs)
	}
}

// open begins a line of which `beforeMs` are over.
func (hearing *Hearing) open(line, skipped, beforeMs int) {
	hearing.line = &hearing.script.Lines[line%len(hearing.script.Lines)]
	hearing.next = line + 1
	hearing.startMs, hearing.told, hearing.skipped = hearing.nowMs-beforeMs, 0, skipped
}

func (hearing *Hearing) audible() int {
	count := 0
	for _, word := range hearing.line.Words {
		if hearing.nowMs-hearing.startMs >= word.StartMs+audibleMs {
			count++
		}
	}
	return count
}

// end closes the open turn with the words that were audible.
func (hearing *Hearing) end() {
	if hearing.line == nil {
		return
	}
	if count := hearing.audible(); count > hearing.skipped {
		delayMs := hearing.script.Delays.TranscriptMs
		hearing.turn(delayMs, count, count, true, false)
		if hearing.hasTwin {
			hearing.turn(delayMs+hearing.script.Delays.TwinMs, count, count, true, true)
		}
		hearing.order++
	}
	hearing.line = nil
	// What is still being said belongs to the turn that was closed.
	hearing.lastLoudMs = hearing.nowMs
}

var around = regexp.MustCompile(`^\W+|\W+$`)

// plain is a word as the service writes it before it formats the turn.
func plain(word string) string {
	return around.ReplaceAllString(strings.ToLower(word), "")
}

func (hearing *Hearing) turn(delayMs, count, final int, isEnd, isFormatted bool) {
	words := make([]map[string]any, 0, count)
	said := make([]string, 0, count)
	for place, word := range hearing.line.Words[:count] {
		if place < hearing.skipped {
			continue
		}
		text := word.Text
		if !isFormatted {
			text = plain(text)
		}
		if place < final {
			said = append(said, text)
		}
		words = append(words, map[string]any{
			"start": hearing.startMs + word.StartMs, "end": hearing.startMs + word.EndMs,
			"text": text, "confidence": 0.98, "word_is_final": place < final,
		})
	}
	transcript, utterance, confidence := strings.Join(said, " "), "", 0.05
	if isEnd {
		confidence = 0.9
		if !isFormatted {
			utterance = transcript
		}
	}
	hearing.send(delayMs, map[string]any{
		"turn_order": hearing.order, "turn_is_formatted": isFormatted, "end_of_turn": isEnd,
		"transcript": transcript, "end_of_turn_confidence": confidence, "words": words,
		"utterance": utterance, "type": "Turn",
	})
}
