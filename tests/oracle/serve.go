// SPDX-License-Identifier: BSD-2-Clause

// Go: a goroutine for each connection, calls side by side or one after the other; a transport that keeps connections, or one connection
// for each call.  usage: serve PORT WEB CACHE [own]
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

var own = len(os.Args) > 4 && os.Args[4] == "own"
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableKeepAlives: own, DisableCompression: true}}
var idle = make(chan net.Conn, 64)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func askWeb(n string, head http.Header) {
	r, err := http.NewRequest("GET", "http://127.0.0.1:"+os.Args[2]+"/b/"+n, nil)
	check(err)
	for _, k := range []string{"Traceparent", "X-Request-Id"} {
		if v := head.Get(k); v != "" {
			r.Header.Set(k, v)
		}
	}
	answer, err := client.Do(r)
	check(err)
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

func askCache(n string) {
	var c net.Conn
	var err error
	select {
	case c = <-idle:
	default:
		c, err = net.Dial("tcp", "127.0.0.1:"+os.Args[3])
		check(err)
	}
	fmt.Fprintf(c, "get k%s\r\n", n)
	for answer, line := bufio.NewReader(c), ""; line != "END\r\n"; {
		line, err = answer.ReadString('\n')
		check(err)
	}
	if own {
		c.Close()
		return
	}
	select {
	case idle <- c:
	default:
		c.Close()
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	n := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if (n[len(n)-1]-'0')%2 == 1 {
		var both sync.WaitGroup
		both.Add(1)
		go func() { askCache(n); both.Done() }()
		askWeb(n, r.Header)
		both.Wait()
	} else {
		askCache(n)
		askWeb(n, r.Header)
	}
	fmt.Fprintf(w, "%s\n", n)
}

func main() {
	http.HandleFunc("/m/", serve)
	check(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
