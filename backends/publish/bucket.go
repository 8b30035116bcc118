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

// bucket is a prefix in a bucket of an S3-compatible server.
type bucket struct {
	client *minio.Client
	at     *model.S3
}

func openBucket(at *model.S3, access, secret string) (*bucket, error) {
	client, err := minio.New(at.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(access, secret, ""), Secure: !at.PlainHTTP, Region: at.Region,
		MaxRetries: 1, // this package tries again itself
	})
	if err != nil {
		return nil, fmt.Errorf("the bucket: %w", err)
	}
	return &bucket{client, at}, nil
}

func (b *bucket) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	object, err := b.client.GetObject(ctx, b.at.Bucket, path.Join(b.at.Prefix, name), minio.GetObjectOptions{})
	if err != nil {
		return nil, b.failed("reading", name, err)
	}
	defer func() { _ = object.Close() }()
	data, err := io.ReadAll(io.LimitReader(object, maxFile+1))
	if err != nil {
		return nil, b.failed("reading", name, err)
	}
	if len(data) > maxFile {
		return nil, final{fmt.Errorf("reading %s: it is larger than %d bytes", name, maxFile)}
	}
	return data, nil
}

func (b *bucket) Put(ctx context.Context, files []File) error {
	for _, f := range files {
		if err := b.put(ctx, f); err != nil {
			return b.failed("publishing", f.Path, err)
		}
	}
	return nil
}

func (b *bucket) put(ctx context.Context, f File) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := b.client.PutObject(ctx, b.at.Bucket, path.Join(b.at.Prefix, f.Path), bytes.NewReader(f.Data), int64(len(f.Data)),
		minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true})
	return err
}

func (b *bucket) failed(doing, name string, err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s %s: %w", doing, name, err)
	}
	switch {
	case answer.Code == "NoSuchKey":
		return fmt.Errorf("%s %s: %w", doing, name, fs.ErrNotExist)
	case answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%s %s: %w", doing, name, err)
	}
	return final{fmt.Errorf("%s %s: %w", doing, name, err)}
}
