#!/bin/sh
# gofakes3 1.2.0 (github.com/johannesboyne/gofakes3 with its backend in memory, Go 1.24 or later), an S3 stand-in for tests. A PUT
# with If-None-Match: * on a key that exists is refused with 412, as in S3; the end of a multipart upload with it overwrites the
# object. The ETag which that end returns has the number of parts, the object's own has none and is another one. GET and DELETE
# with an If-Match of another ETag do as without it. A listing in pages with a delimiter repeats common prefixes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >main.go <<'PROGRAM'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func main() {
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	defer server.Close()
	ask := func(method, path, body, header, value string) (string, string, string) {
		request, _ := http.NewRequest(method, server.URL+"/bucket"+path, strings.NewReader(body))
		if header != "" {
			request.Header.Set(header, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(response.Body)
		return response.Status[:3], string(text), response.Header.Get("Etag")
	}
	find := func(text, pattern string) string { return regexp.MustCompile(pattern).FindStringSubmatch(text)[1] }

	ask("PUT", "", "", "", "")
	ask("PUT", "/key", "first", "", "")
	status, _, _ := ask("PUT", "/key", "second", "If-None-Match", "*")
	_, object, _ := ask("GET", "/key", "", "", "")
	fmt.Println("put, if none:", status, "the object is", object)

	_, started, _ := ask("POST", "/key?uploads", "", "", "")
	upload := "uploadId=" + find(started, "<UploadId>([^<]*)")
	_, _, part := ask("PUT", "/key?partNumber=1&"+upload, "third", "", "")
	parts := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + part + "</ETag></Part></CompleteMultipartUpload>"
	status, completed, _ := ask("POST", "/key?"+upload, parts, "If-None-Match", "*")
	_, object, etag := ask("GET", "/key", "", "", "")
	fmt.Println("multipart, if none:", status, "the object is", object)
	fmt.Println("ETag of its end:", strings.Trim(find(completed, "<ETag>([^<]*)"), `"&#34;`), "ETag of the object:", strings.Trim(etag, `"`))

	status, object, _ = ask("GET", "/key", "", "If-Match", `"0123456789abcdef0123456789abcdef"`)
	fmt.Println("get, if another:", status, object)
	status, _, _ = ask("DELETE", "/key", "", "If-Match", `"0123456789abcdef0123456789abcdef"`)
	after, _, _ := ask("GET", "/key", "", "", "")
	fmt.Println("delete, if another:", status, "then get:", after)

	for _, key := range []string{"a/1", "a/2", "b/1", "b/2", "c"} {
		ask("PUT", "/"+key, "", "", "")
	}
	names := regexp.MustCompile("<(?:Key|CommonPrefixes>\\s*<Prefix)>([^<]*)")
	token := ""
	for page := 1; ; page++ {
		_, list, _ := ask("GET", "?list-type=2&delimiter=/&max-keys=2"+token, "", "", "")
		fmt.Print("page ", page, ":")
		for _, name := range names.FindAllStringSubmatch(list, -1) {
			fmt.Print(" ", name[1])
		}
		fmt.Println()
		if !strings.Contains(list, "<NextContinuationToken>") {
			break
		}
		token = "&continuation-token=" + url.QueryEscape(find(list, "<NextContinuationToken>([^<]*)"))
	}
}
PROGRAM
printf 'module finding\n\ngo 1.24\n' >go.mod
go get github.com/johannesboyne/gofakes3@v1.2.0 >go.log 2>&1 || { cat go.log >&2; exit 2; }
go build -o finding . >go.log 2>&1 || { cat go.log >&2; exit 2; }

cat >seen <<'SEEN'
put, if none: 412 the object is first
multipart, if none: 200 the object is third
ETag of its end: 217ca24fb8d802fd8e5cba1cebbabda8-1 ETag of the object: dd5c8bf51558ffcbe5007071908e9524
get, if another: 200 third
delete, if another: 204 then get: 404
page 1: a/ b/
page 2: b/ c
page 3:
SEEN

./finding >now
diff seen now
