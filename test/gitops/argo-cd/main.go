// Argo CD's application controller, its repository server and what its health checks say, without its web server. Which
// of them runs is decided by the name it is called by.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/spf13/cobra"
)

func main() {
	commands := map[string]func() *cobra.Command{
		common.CommandApplicationController: controller.NewCommand,
		common.CommandRepoServer:            reposerver.NewCommand,
		"argocd-health":                     newHealthCommand,
		"argocd-redis":                      newRedisCommand,
	}
	name := filepath.Base(os.Args[0])
	newCommand, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "unknown program %q: call this by the name of one of Argo CD's programs\n", name)
		os.Exit(1)
	}
	if err := newCommand().Execute(); err != nil {
		os.Exit(1)
	}
}
