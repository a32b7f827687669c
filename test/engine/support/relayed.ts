// Stands in for the Pulumi program on a command line: hands its arguments to the test that it is a
// part of, whose engine runs them. The first argument is the test's address.
const [address = "", ...args] = process.argv.slice(2);
const answer = await fetch(address, { method: "POST", body: JSON.stringify(args) });
const { code, stdout, stderr } = (await answer.json()) as {
  code: number;
  stdout: string;
  stderr: string;
};
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = code;
