package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// How fast the agent's voice speaks: bytes of 16 bits at 24 kHz for a letter.
	bytesPerLetter = 48000 / 15
	pieceBytes     = 9600
	// What the answer begins and ends with; the question is said back between them, as the caller
	// looks for its words.
	before = "You asked"
	after  = "and I am glad to help you with that."
	// How much of the conversation the model was sent.
	counted = "which makes %d questions of %d words."
)

// Providers are the stand-ins for AssemblyAI and OpenAI.
type Providers struct {
	script *Script
	stage  *Stage
	mux    *http.ServeMux
}

// newProviders makes them; without a stage each session hears the lines from the first one on.
func newProviders(script *Script, stage *Stage) *Providers {
	providers := &Providers{script: script, stage: stage, mux: http.NewServeMux()}
	providers.mux.HandleFunc("GET /v3/ws", providers.hear)
	providers.mux.HandleFunc("POST /v1/chat/completions", providers.answer)
	providers.mux.HandleFunc("POST /v1/audio/speech", providers.speak)
	providers.mux.HandleFunc("GET /v1/models", func(response http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(response, `{"object":"list","data":[]}`)
	})
	return providers
}

func (providers *Providers) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	providers.mux.ServeHTTP(response, request)
}

// content is a message's text, which may come in parts.
func content(message map[string]any) string {
	if text, is := message["content"].(string); is {
		return text
	}
	parts, _ := message["content"].([]any)
	text := ""
	for _, part := range parts {
		if fields, is := part.(map[string]any); is {
			piece, _ := fields["text"].(string)
			text += piece
		}
	}
	return text
}

// answer says the last question back, word by word.
func (providers *Providers) answer(response http.ResponseWriter, request *http.Request) {
	var asked struct {
		Model    string           `json:"model"`
		Messages []map[string]any `json:"messages"`
		Options  struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	question, questions, heard := "", 0, 0
	for _, message := range asked.Messages {
		if message["role"] == "user" {
			question = content(message)
			questions++
			heard += len(strings.Fields(question))
		}
	}
	said := strings.Fields(strings.Map(letters, question))
	end := after
	if providers.script.Counts {
		end = fmt.Sprintf(counted, questions, heard)
	}
	words := append(append(strings.Fields(before), said...), strings.Fields(end)...)
	time.Sleep(milliseconds(providers.script.Delays.FirstTokenMs))
	response.Header().Set("Content-Type", "text/event-stream")
	event := func(choices string, usage string) {
		fmt.Fprintf(response, `data: {"id":"chatcmpl-1","object":"chat.completion.chunk",`+
			`"created":1,"model":%q,"choices":[%s]%s}`+"\n\n", asked.Model, choices, usage)
	}
	event(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`, "")
	for place, word := range words {
		if place > 0 {
			word = " " + word
		}
		event(fmt.Sprintf(`{"index":0,"delta":{"content":%q},"finish_reason":null}`, word), "")
	}
	event(`{"index":0,"delta":{},"finish_reason":"stop"}`, "")
	if asked.Options.Usage {
		event("", fmt.Sprintf(
			`,"usage":{"prompt_tokens":100,"completion_tokens":%d,"total_tokens":%d}`,
			len(words), 100+len(words),
		))
	}
	fmt.Fprint(response, "data: [DONE]\n\n")
}

// letters leaves out what ends a sentence.
func letters(letter rune) rune {
	if strings.ContainsRune(".,?!\"\\", letter) {
		return -1
	}
	return letter
}

// speak sends as much of the voice as the text is long.
func (providers *Providers) speak(response http.ResponseWriter, request *http.Request) {
	var asked struct {
		Input string `json:"input"`
	}
	if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	sound := providers.script.Speech
	sound = sound[:min(len(sound), len(asked.Input)*bytesPerLetter)]
	time.Sleep(milliseconds(providers.script.Delays.FirstSoundMs))
	response.Header().Set("Content-Type", "audio/pcm")
	flusher, _ := response.(http.Flusher)
	for len(sound) > 0 {
		piece := sound[:min(len(sound), pieceBytes)]
		if _, err := response.Write(piece); err != nil {
			return
		}
		flusher.Flush()
		sound = sound[len(piece):]
	}
}
