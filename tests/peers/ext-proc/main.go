// An external processor that does what the rows "headers" and "model" of the benchmark ask for, over
// ext_proc: what a gateway pays that transforms in a process of its own.
//
// Called by the benchmark with an address to listen on. It answers streams until it is ended, and
// logs nothing.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"os"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	ext_proc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
)

type processor struct {
	ext_proc.UnimplementedExternalProcessorServer
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: ext-proc ADDRESS")
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	ext_proc.RegisterExternalProcessorServer(server, processor{})
	log.Fatal(server.Serve(listener))
}

// Process answers each message of one exchange.
func (processor) Process(stream ext_proc.ExternalProcessor_ProcessServer) error {
	method := ""
	for {
		asked, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer := &ext_proc.ProcessingResponse{}
		switch it := asked.Request.(type) {
		case *ext_proc.ProcessingRequest_RequestHeaders:
			method = value(it.RequestHeaders, ":method")
			changes := setting("x-copy", value(it.RequestHeaders, "x-source"))
			answer.Response = &ext_proc.ProcessingResponse_RequestHeaders{
				RequestHeaders: &ext_proc.HeadersResponse{Response: changes},
			}
		case *ext_proc.ProcessingRequest_RequestBody:
			var chat struct {
				Model string `json:"model"`
			}
			if err := json.Unmarshal(it.RequestBody.Body, &chat); err != nil {
				return err
			}
			answer.Response = &ext_proc.ProcessingResponse_RequestBody{
				RequestBody: &ext_proc.BodyResponse{Response: setting("x-model", chat.Model)},
			}
		case *ext_proc.ProcessingRequest_ResponseHeaders:
			answer.Response = &ext_proc.ProcessingResponse_ResponseHeaders{
				ResponseHeaders: &ext_proc.HeadersResponse{Response: setting("x-asked", method)},
			}
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func value(headers *ext_proc.HttpHeaders, name string) string {
	for _, header := range headers.Headers.Headers {
		if header.Key == name {
			return string(header.RawValue)
		}
	}
	return ""
}

func setting(name, value string) *ext_proc.CommonResponse {
	header := &core.HeaderValueOption{
		Header:       &core.HeaderValue{Key: name, RawValue: []byte(value)},
		AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
	return &ext_proc.CommonResponse{
		HeaderMutation: &ext_proc.HeaderMutation{SetHeaders: []*core.HeaderValueOption{header}},
	}
}
