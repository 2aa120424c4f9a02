package eventlog

import (
	"testing"
	"time"
)

// A clock that was set stays doubted until somebody has said what he thinks of
// it; alone there is nobody to ask.
func TestClock_IsJudgedByOthersOnly(t *testing.T) {
	start := time.Now()
	wall := start.Round(0)
	others := roster{"b": &peer{}, "c": &peer{}}
	var c clock
	c.begin(start, wall)
	for i := range 20 {
		c.judge(start.Add(time.Duration(i)*beatEvery), wall.Add(time.Duration(i)*beatEvery+time.Hour), others, "a")
		if !c.astray {
			t.Fatalf("it is right at look %d, though nobody has compared it", i)
		}
	}
	for i := range sureAfter {
		c.judge(start.Add(time.Duration(20+i)*beatEvery), wall.Add(time.Duration(20+i)*beatEvery+time.Hour), nil, "a")
	}
	if c.astray {
		t.Error("alone it is astray")
	}
}

// Nor is a clock that was set bit by bit followed before.
func TestClock_IsFollowedWhenOthersAgree(t *testing.T) {
	start := time.Now()
	m := &Members{roster: roster{"b": &peer{}}}
	m.time.Store(&steady{since: start, at: start.Round(0)})
	m.clock.begin(start, start)
	for i := range 20 {
		now := start.Add(time.Duration(i+1) * beatEvery)
		wall := now.Round(0).Add(min(time.Duration(i)*700*time.Millisecond, 1400*time.Millisecond))
		m.clock.judge(now, wall, m.roster, "a")
		m.adjust(now, wall, false)
		if ahead, most := m.time.Load().now(now).Sub(now.Round(0)), now.Sub(start)/slewShare; ahead > most {
			t.Fatalf("look %d: %v ahead", i, ahead)
		}
	}
}
