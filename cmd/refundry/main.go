// Command refundry is a self-hosted refund engine: see the README.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/service"
)

// commands is the whole command line.
type commands struct {
	Demo       demoCommand       `cmd:"" help:"See Refundry at work: refunds through the front doors, webhooks, books. Needs nothing."`
	Serve      serveCommand      `cmd:"" help:"Run the server."`
	Verify     verifyCommand     `cmd:"" help:"Recompute every total, the ledger and the audit chain, and print what differs."`
	Payments   paymentsCommand   `cmd:"" help:"Import, list and show payments, record captures and cancels of authorized ones, erase what is personal."`
	Refunds    refundsCommand    `cmd:"" help:"List refunds, look at one, decide about it, say what became of it."`
	Reasons    reasonsCommand    `cmd:"" help:"Show and replace the catalogue of reasons that refunds may have."`
	Batches    batchesCommand    `cmd:"" help:"Refund many payments at once, from NDJSON or CSV."`
	Disputes   disputesCommand   `cmd:"" help:"List, open and close disputes and chargebacks."`
	Audit      auditCommand      `cmd:"" help:"Show who did what, export it, check an export, erase a person."`
	Tenants    tenantsCommand    `cmd:"" help:"List and create tenants."`
	Keys       keysCommand       `cmd:"" help:"List, create and revoke API keys and projects."`
	Settings   settingsCommand   `cmd:"" help:"Show and change a tenant's settings."`
	Webhooks   webhooksCommand   `cmd:"" help:"Manage webhook endpoints, look at deliveries, resend them."`
	Ledger     ledgerCommand     `cmd:"" help:"Look at the books: entries, accounts, the trial balance."`
	Reports    reportsCommand    `cmd:"" help:"List and write reports."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the database's tables up to date."`
	Completion completionCommand `cmd:"" help:"Print the completion script of a shell."`
	Version    versionCommand    `cmd:"" help:"Print the version."`

	JSON     bool   `help:"Print JSON instead of text." name:"json"`
	LogLevel string `help:"Least level of logs: debug, info, warn or error." default:"info" enum:"debug,info,warn,error" env:"REFUNDRY_LOG_LEVEL"`
}

// terminal is what a command may use of the world around it.
type terminal struct {
	stdout io.Writer
	stderr io.Writer
	isJSON bool
	colors bool
	log    *slog.Logger
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal does not wait
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// exitError ends the program with a status of its own, its message printed already.
type exitError int

// Error implements error.
func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run runs one command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	var cli commands
	exit := -1
	parser, err := kong.New(&cli,
		kong.Name("refundry"),
		kong.Description("A self-hosted refund engine: nothing is paid back twice, and nothing is lost."),
		kong.Vars{"api_scopes": strings.Join(service.Scopes(), ", ")},
		kong.UsageOnError(), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "refundry:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 {
		return exit // help was asked for
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "refundry: %s\n\nTry: refundry --help\n", err)
		return 2
	}
	t := &terminal{
		stdout: stdout, stderr: stderr, isJSON: cli.JSON,
		colors: isatty.IsTerminal(stdout.Fd()) && os.Getenv("NO_COLOR") == "",
		log:    newLog(stderr, cli.LogLevel),
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(parser)
	return t.status(parsed.Run(t))
}

// status prints what went wrong and returns the exit status: 1, or the one
// that the error carries.
func (t *terminal) status(err error) int {
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exitError](err); ok {
		return int(code)
	}
	message := err.Error()
	if fault.CodeOf(err) != fault.Internal {
		message = fault.MessageOf(err)
	}
	_, _ = fmt.Fprintln(t.stderr, "refundry:", strings.ReplaceAll(message, "\n", "; "))
	return 1
}

// newLog returns a log for people on a terminal, JSON lines elsewhere.
func newLog(to *os.File, level string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		least = slog.LevelInfo
	}
	if isatty.IsTerminal(to.Fd()) {
		return slog.New(tint.NewTextHandler(to, &tint.Options{Level: least, TimeFormat: "15:04:05.000"}))
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: least}))
}
