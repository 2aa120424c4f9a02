package eventlog

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func nobody() <-chan struct{} { return nil }

func TestAgain_AsksOnceMoreAndTakesTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var asked atomic.Int64
		got, err := again(t.Context(), nobody, func(ctx context.Context) (int, error) {
			n := int(asked.Add(1))
			if n < 3 { // lost with its leader
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return n, nil
		})
		if took := time.Since(start); got != 3 || err != nil || took != 3*firstSilence {
			t.Errorf("%d, %v after %v", got, err, took)
		}
		start = time.Now()
		asked.Store(0)
		got, err = again(t.Context(), nobody, func(ctx context.Context) (int, error) {
			n := int(asked.Add(1))
			select {
			case <-time.After(5 * time.Second): // a large answer of a busy server
				return n, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		})
		if took := time.Since(start); got != 1 || err != nil || took != 5*time.Second || asked.Load() > 7 {
			t.Errorf("%d, %v after %v, asked %d times", got, err, took, asked.Load())
		}
	})
}

func TestAgain_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var asked atomic.Int64
		_, err := again(ctx, nobody, func(ctx context.Context) (int, error) {
			asked.Add(1)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || asked.Load() != mostAskings {
			t.Errorf("%v, asked %d times", err, asked.Load())
		}
		if _, err := again(t.Context(), nobody, func(context.Context) (int, error) { return 0, ErrNotFound }); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
}
