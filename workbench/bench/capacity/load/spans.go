package main

import "time"

// Span is a stretch of one agent's voice: a pause longer than `pauseTime` ends it.
type Span struct {
	first   time.Time
	last    time.Time
	inRow   int
	longest time.Duration
}

// take is given a packet's size; the answer is a span that is over now.
func (span *Span) take(size int, now time.Time) (Span, bool) {
	over, ended := span.end(now)
	if size < voiceBytes {
		if span.inRow < voicePackets {
			span.inRow = 0
		}
		return over, ended
	}
	if span.inRow == 0 {
		*span = Span{first: now, last: now}
	}
	span.longest = max(span.longest, now.Sub(span.last))
	span.last = now
	span.inRow++
	return over, ended
}

// end is the span, if it is over; where the track ends, `now` is far away.
func (span *Span) end(now time.Time) (Span, bool) {
	if span.inRow < voicePackets || now.Sub(span.last) < pauseTime {
		return Span{}, false
	}
	over := *span
	*span = Span{}
	return over, true
}
