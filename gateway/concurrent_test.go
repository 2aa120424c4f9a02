package gateway

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// atOnce runs n requests side by side and gives their answers.
func atOnce(n int, request func(i int) reply) []reply {
	answers := make([]reply, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { answers[i] = request(i) })
	}
	wg.Wait()
	return answers
}

func TestLike_EachAnswerIsAsOfItsPlaceInTheLog(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	const users = 40
	click := func(i int) reply {
		return s.do("POST", fmt.Sprintf("/api/posts/c1/like?user=u%d", i), "", "Idempotency-Key", fmt.Sprintf("k%d", i))
	}
	answers := atOnce(users, click)
	var counts []int
	for _, r := range answers {
		var l liking
		r.json(t, &l)
		if !l.Liked {
			t.Errorf("%d %s", r.status, r.body)
		}
		counts = append(counts, l.Likes)
	}
	slices.Sort(counts)
	for i, n := range counts {
		if n != i+1 {
			t.Fatalf("%d likes in turn are not 1 to %d: %v", users, users, counts)
		}
	}
	for i, r := range atOnce(users, click) {
		if r.body != answers[i].body {
			t.Errorf("repeat %d: %s, first %s", i, r.body, answers[i].body)
		}
	}
}

func TestHTTP_OneBoardOfManyThatAskForIt(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	tally := func(answers []reply) map[int]int {
		by := map[int]int{}
		for _, r := range answers {
			by[r.status]++
		}
		return by
	}
	mine := tally(atOnce(12, func(int) reply { return s.do("POST", "/v1/boards?user=ann", `{"id":"same","title":"Same"}`) }))
	if mine[201] != 1 || mine[200] != 11 {
		t.Errorf("one user, twelve times: %v", mine)
	}
	ours := tally(atOnce(12, func(i int) reply {
		return s.do("POST", fmt.Sprintf("/v1/boards?user=u%d", i), `{"id":"race","title":"Race"}`)
	}))
	if ours[201] != 1 || ours[409] != 11 {
		t.Errorf("twelve users: %v", ours)
	}
}

func TestHTTP_OneMutationSentManyTimesTakesEffectOnce(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	const create = `{"clientMutationId":"m1","entityId":"new","patch":{"kind":"card","columnId":"todo","title":"New"},"ifRev":0}`
	answers := atOnce(20, func(int) reply { return s.do("POST", "/v1/boards/demo/mutations", create) })
	for _, r := range answers {
		if r.status != 200 || r.body != answers[0].body {
			t.Errorf("%d %s, others %s", r.status, r.body, answers[0].body)
		}
	}
}
