// Command gitlab-runner is GitLab Runner with the commands that take a job and run it in a shell of
// this machine: its other executors are for machines that are not here, and want modules that not every
// module proxy has. Of what it does want, five such modules are the stand-ins beside this file. They
// refuse what they stand for (`run:` instead of `script:`, inputs of jobs, events of usage), and a job
// with a script comes to none of them.
package main

import (
	"os"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli"
	"gitlab.com/gitlab-org/gitlab-runner/commands"
	"gitlab.com/gitlab-org/gitlab-runner/commands/helpers"
	"gitlab.com/gitlab-org/gitlab-runner/common"
	"gitlab.com/gitlab-org/gitlab-runner/executors"
	"gitlab.com/gitlab-org/gitlab-runner/executors/shell"
	"gitlab.com/gitlab-org/gitlab-runner/log"
	"gitlab.com/gitlab-org/gitlab-runner/network"

	_ "gitlab.com/gitlab-org/gitlab-runner/shells"
)

func main() {
	self, err := os.Executable()
	if err != nil {
		logrus.Fatal(err)
	}
	providers := executors.NewProviderRegistry(map[string]common.ExecutorProvider{
		"shell": shell.NewProvider(self),
	})
	client := network.NewGitLabClient(network.WithExecutorProviderFunc(providers.GetByName))
	app := cli.NewApp()
	app.Name = "gitlab-runner"
	app.Version = common.AppVersion.ShortLine()
	app.Commands = []cli.Command{
		commands.NewRunSingleCommand(client, providers),
		// What a job's shell calls this very program for.
		helpers.NewArtifactsDownloaderCommand(),
		helpers.NewArtifactsUploaderCommand(),
		helpers.NewCacheArchiverCommand(),
		helpers.NewCacheExtractorCommand(),
		helpers.NewCacheInitCommand(),
	}
	log.ConfigureLogging(app)
	if err := app.Run(os.Args); err != nil {
		logrus.Fatal(err)
	}
}
