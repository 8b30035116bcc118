package main

import "runtime/debug"

// release is set by the linker in released binaries.
var release = ""

// version is the release, or what the Go toolchain recorded of the build.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "0.1.0-dev"
	}
	if info.Main.Version == "(devel)" {
		return "0.1.0-dev"
	}
	return info.Main.Version
}
