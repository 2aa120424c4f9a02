package main

import "testing"

func TestWithoutPassword(t *testing.T) {
	t.Parallel()
	for urls, want := range map[string]string{
		"nats://localhost:4222":                  "nats://localhost:4222",
		"nats://me:secret@a:4222, nats://b:4222": "nats://me:xxxxx@a:4222,nats://b:4222",
		"nats://secrettoken@a:4222":              "nats://xxxxx@a:4222",
		"127.0.0.1:4222":                         "nats://127.0.0.1:4222",
		"me:secret@a:4222":                       "nats://me:xxxxx@a:4222",
		"nats://me:se%zzcret@a:4222":             "(unreadable URL)",
	} {
		if got := withoutPassword(urls); got != want {
			t.Errorf("%s: %s, want %s", urls, got, want)
		}
	}
}
