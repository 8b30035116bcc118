package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/postern-dev/postern/compiler/model"
)

// bucket is a prefix in a bucket of an S3-compatible server; it must know
// conditional writes.
type bucket struct {
	client *minio.Client
	at     *model.S3
}

func openBucket(at *model.S3, access, secret string) (*objects, error) {
	client, err := minio.New(at.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(access, secret, ""), Secure: !at.PlainHTTP, Region: at.Region,
		MaxRetries: 1, // this package tries again itself
	})
	if err != nil {
		return nil, fmt.Errorf("the bucket: %w", err)
	}
	return &objects{files: &bucket{client, at}}, nil
}

func (b *bucket) get(ctx context.Context, name string) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	object, err := b.client.GetObject(ctx, b.at.Bucket, path.Join(b.at.Prefix, name), minio.GetObjectOptions{})
	if err != nil {
		return nil, "", b.failed("reading", name, err)
	}
	defer func() { _ = object.Close() }()
	about, err := object.Stat()
	if err != nil {
		return nil, "", b.failed("reading", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(object, maxFile+1))
	if err != nil {
		return nil, "", b.failed("reading", name, err)
	}
	if len(data) > maxFile {
		return nil, "", final{fmt.Errorf("reading %s: it is larger than %d bytes", name, maxFile)}
	}
	return data, about.ETag, nil
}

func (b *bucket) put(ctx context.Context, f File, was state) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	options := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true}
	if was.there {
		options.SetMatchETag(was.tag)
	} else {
		options.SetMatchETagExcept("*")
	}
	_, err := b.client.PutObject(ctx, b.at.Bucket, path.Join(b.at.Prefix, f.Path), bytes.NewReader(f.Data), int64(len(f.Data)), options)
	var answer minio.ErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer) && answer.StatusCode == http.StatusPreconditionFailed,
		errors.As(err, &answer) && answer.Code == "NoSuchKey": // of If-Match
		return errOther
	}
	return b.failed("publishing", f.Path, err)
}

func (b *bucket) failed(doing, name string, err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s %s: %w", doing, name, err)
	}
	switch {
	case answer.Code == "NoSuchKey":
		return fmt.Errorf("%s %s: %w", doing, name, fs.ErrNotExist)
	case answer.StatusCode == http.StatusNotImplemented:
		return final{fmt.Errorf("%s %s: the server does not know conditional writes (If-Match), which keep two who publish apart: %w", doing, name, err)}
	case answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests,
		answer.StatusCode == http.StatusConflict: // two conditional writes at the same time
		return fmt.Errorf("%s %s: %w", doing, name, err)
	}
	return final{fmt.Errorf("%s %s: %w", doing, name, err)}
}
