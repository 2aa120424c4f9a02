package main

import "testing"

func TestGCPercent_FollowsTheWorkAndNotTheConnections(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name        string
		live, churn float64
		want        float64
	}{
		{"idle, little in memory", 20 * mib, 0, 100},
		{"idle, much in memory", 2000 * mib, 1 * mib, 100},
		{"busy, little in memory", 50 * mib, 200 * mib, 400},
		{"very busy: no more than the bound", 50 * mib, 5000 * mib, 512},
		{"busy, much in memory", 1000 * mib, 5000 * mib, 100},
		{"nothing measured yet", 0, 0, 100},
	} {
		if got := gcPercent(c.live, c.churn); got != c.want {
			t.Errorf("%s: %v %%, want %v", c.name, got, c.want)
		}
	}
	before := allocated()
	sink = make([]byte, 10*mib)
	if now := allocated(); now.total < before.total+10*mib {
		t.Errorf("%d bytes allocated, before %d", now.total, before.total)
	}
}

var sink []byte
