package client_test

import (
	"context"
	"fmt"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
)

// A live board: every column with its cards, again whenever one changes.
func Example() {
	board, err := client.Connect(context.Background(), client.Options{URL: "http://localhost:8080", Board: "demo", User: "ann"})
	if err != nil {
		fmt.Println(err) // nobody serves there
		return
	}
	defer board.Close()
	board.Subscribe(func([]client.Change) {
		for _, column := range board.Children(domain.KindColumn, "") {
			fmt.Println(column.Fields["title"], len(board.Children(domain.KindCard, column.ID)))
		}
	})
	<-board.Done()
}
