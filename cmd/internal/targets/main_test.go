package targets_test

import (
	"os"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
