package main

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"math/rand"
	"net/http"
	"sync"
	"time"

	protoLogger "github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const (
	packetTime = 20 * time.Millisecond
	// Opus as LiveKit's client sets it makes packets of 55 bytes of silence and of 84 and more of a
	// voice at 48 kbit/s (stock), of 3 and of 114 and more at 72 kbit/s (ours).
	voiceBytes = 70
	// So many packets in a row are a voice. The first of them is when it began.
	voicePackets = 3
	// A voice is over after this long.
	pauseTime = 700 * time.Millisecond
	// Who gets no answer asks the next question after this long.
	patience = 8 * time.Second
	// Between an answer and the next question.
	shortestPause = 700 * time.Millisecond
	longestPause  = 1300 * time.Millisecond
)

// What LiveKit's server sends, padded to the size of a voice, when a track ends.
var silence = []byte{0xf8, 0xff, 0xfe}

// Callers are those who call now, by the names of their rooms.
type Callers struct {
	script *Script
	stage  *Stage
	lock   sync.Mutex
	byRoom map[string]*Caller
	mux    *http.ServeMux
}

// Join is what /join takes.
type Join struct {
	URL   string `json:"url"`
	Room  string `json:"room"`
	Token string `json:"token"`
	// Nobody answers: questions come by the clock.
	Timed bool `json:"timed"`
}

func newCallers(script *Script, stage *Stage) *Callers {
	lksdk.SetLogger(protoLogger.GetDiscardLogger())
	callers := &Callers{
		script: script, stage: stage, byRoom: map[string]*Caller{}, mux: http.NewServeMux(),
	}
	callers.mux.HandleFunc("POST /join", callers.join)
	callers.mux.HandleFunc("POST /leave", callers.leave)
	return callers
}

func (callers *Callers) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	callers.mux.ServeHTTP(response, request)
}

func (callers *Callers) join(response http.ResponseWriter, request *http.Request) {
	var join Join
	if err := json.NewDecoder(request.Body).Decode(&join); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	caller := &Caller{
		script: callers.script, stage: callers.stage, join: join, left: make(chan struct{}),
	}
	callers.lock.Lock()
	callers.byRoom[join.Room] = caller
	callers.lock.Unlock()
	go caller.call()
	response.WriteHeader(http.StatusNoContent)
}

// leave ends all calls.
func (callers *Callers) leave(response http.ResponseWriter, request *http.Request) {
	callers.lock.Lock()
	defer callers.lock.Unlock()
	for name, caller := range callers.byRoom {
		caller.leave()
		delete(callers.byRoom, name)
	}
	response.WriteHeader(http.StatusNoContent)
}

// Caller is one call.
type Caller struct {
	script *Script
	stage  *Stage
	join   Join
	left   chan struct{}
	ending sync.Once
	ears   Ears
}

func (caller *Caller) tell(event string, fields map[string]any) {
	fields["room"] = caller.join.Room
	tell(event, fields)
}

func (caller *Caller) leave() {
	caller.ending.Do(func() { close(caller.left) })
}

func (caller *Caller) call() {
	caller.tell("dialled", map[string]any{})
	track, err := lksdk.NewLocalTrack(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
	)
	if err != nil {
		caller.tell("failed", map[string]any{"why": err.Error()})
		return
	}
	room := lksdk.NewRoom(caller.callback())
	caller.listenToText(room)
	err = room.JoinWithToken(
		caller.join.URL, caller.join.Token, lksdk.WithLogger(protoLogger.GetDiscardLogger()),
		lksdk.WithDisableRegionDiscovery(),
	)
	if err != nil {
		caller.tell("failed", map[string]any{"why": err.Error()})
		return
	}
	caller.tell("joined", map[string]any{})
	defer room.Disconnect()
	if _, err = room.LocalParticipant.PublishTrack(
		track, &lksdk.TrackPublicationOptions{Name: "microphone", Source: 2},
	); err != nil {
		caller.tell("failed", map[string]any{"why": err.Error()})
		return
	}
	caller.talk(track)
	caller.tell("left", map[string]any{})
}

func (caller *Caller) callback() *lksdk.RoomCallback {
	return &lksdk.RoomCallback{
		OnDisconnectedWithReason: func(reason lksdk.DisconnectionReason) {
			caller.tell("disconnected", map[string]any{"why": string(reason)})
			caller.leave()
		},
		OnParticipantConnected: func(who *lksdk.RemoteParticipant) {
			caller.tell("came", map[string]any{"who": who.Identity(), "shows": who.Attributes()})
		},
		OnParticipantDisconnected: func(who *lksdk.RemoteParticipant) {
			caller.tell("went", map[string]any{"who": who.Identity()})
		},
		ParticipantCallback: lksdk.ParticipantCallback{
			OnAttributesChanged: func(changed map[string]string, who lksdk.Participant) {
				caller.tell("shows", map[string]any{"who": who.Identity(), "shows": changed})
			},
			OnTrackSubscribed: func(
				track *webrtc.TrackRemote, _ *lksdk.RemoteTrackPublication, who *lksdk.RemoteParticipant,
			) {
				if track.Kind() == webrtc.RTPCodecTypeAudio {
					caller.tell("heard agent's track", map[string]any{"who": who.Identity()})
					go caller.listen(track, who.Identity())
				}
			},
		},
	}
}

// listenToText reads what the room says was said.
func (caller *Caller) listenToText(room *lksdk.Room) {
	room.RegisterTextStreamHandler(
		"lk.transcription",
		func(reader *lksdk.TextStreamReader, who string) {
			text := reader.ReadAll()
			caller.tell("text", map[string]any{
				"who": who, "text": text,
				"segment": reader.Info.Attributes["lk.segment_id"],
				"final":   reader.Info.Attributes["lk.transcription_final"] == "true",
			})
		},
	)
}

// listen tells when the agent speaks, by the size of its packets.
func (caller *Caller) listen(track *webrtc.TrackRemote, who string) {
	packet, span := make([]byte, 1500), &Span{}
	for {
		count, _, err := track.Read(packet)
		if err != nil {
			if over, ended := span.end(time.Now().Add(pauseTime)); ended {
				caller.tellSpan(who, over)
			}
			return
		}
		var header rtp.Header
		size, err := header.Unmarshal(packet[:count])
		if err != nil {
			continue
		}
		now, length := time.Now(), count-size
		if bytes.HasPrefix(packet[size:count], silence) {
			length = 0
		}
		if began, has := caller.ears.take(length, now); has {
			caller.tell("voice", map[string]any{"at": seconds(began)})
		}
		if over, ended := span.take(length, now); ended {
			caller.tellSpan(who, over)
		}
	}
}

func (caller *Caller) tellSpan(who string, span Span) {
	caller.tell("spoke", map[string]any{
		"who": who, "from": seconds(span.first), "until": seconds(span.last),
		"gap_ms": span.longest.Milliseconds(),
	})
}

// talk sends a packet every 20 ms until the caller leaves.
func (caller *Caller) talk(track *lksdk.LocalTrack) {
	seed := fnv.New32a()
	seed.Write([]byte(caller.join.Room))
	mind := &Mind{caller: caller, random: rand.New(rand.NewSource(int64(seed.Sum32())))}
	next := time.Now()
	for {
		select {
		case <-caller.left:
			return
		case <-time.After(time.Until(next)):
		}
		track.WriteSample(media.Sample{Data: mind.packet(time.Now()), Duration: packetTime}, nil)
		next = next.Add(packetTime)
	}
}
