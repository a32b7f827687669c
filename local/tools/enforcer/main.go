// Command enforcer makes this machine keep the network policies of the node on it, by means of
// kube-network-policies: that judges the first packet of each connection from or to a pod. Only the
// way that packets take there is our own: rules of iptables, because not every kernel has nftables'
// queue expression, and in INPUT as well, so that what pods ask of the cluster's API on their own
// node is judged too.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

const queue = 100

// Named like the node's other chains: whatever takes the node down removes it as well.
const chain = "ANCHORHOLD-POLICIES"

// In POSTROUTING the pod is known that a Service stands for, and the source is still the pod.
func jumps(bridge string) []string {
	return []string{"POSTROUTING -j " + chain, "INPUT -i " + bridge + " -j " + chain}
}

func iptables(line string) error {
	args := append([]string{"-w", "5", "-t", "mangle"}, strings.Fields(line)...)
	output, err := exec.Command("iptables", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("iptables %s: %w: %s", line, err, output)
	}
	return nil
}

func install(bridge string) error {
	// Without a listener packets pass: a machine must not lose its network with this process.
	target := " -j NFQUEUE --queue-bypass --queue-num " + strconv.Itoa(queue)
	lines := []string{
		"-N " + chain,
		"-A " + chain + " -m conntrack ! --ctstate NEW -j RETURN",
		// kubelet's probes and what it forwards are always allowed (the API's documentation).
		"-A " + chain + " -m addrtype --src-type LOCAL -j RETURN",
		"-A " + chain + " -p tcp" + target,
		"-A " + chain + " -p udp" + target,
	}
	for _, jump := range jumps(bridge) {
		lines = append(lines, "-A "+jump)
	}
	for _, line := range lines {
		if err := iptables(line); err != nil {
			return err
		}
	}
	return nil
}

// remove leaves nothing behind, whatever part of it is there.
func remove(bridge string) {
	for _, jump := range jumps(bridge) {
		_ = iptables("-D " + jump)
	}
	_ = iptables("-F " + chain)
	_ = iptables("-X " + chain)
}

func controller(ctx context.Context, kubeconfig, node string) (*networkpolicy.Controller, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	made, err := networkpolicy.NewController(
		client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil,
		// Its NRI client finds no socket here and ends; switched off, the first address that is no
		// pod's would be looked up through a nil pointer (v0.8.0).
		networkpolicy.Config{QueueID: queue, NodeName: node},
	)
	if err == nil {
		factory.Start(ctx.Done())
		factory.WaitForCacheSync(ctx.Done())
	}
	return made, err
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "of somebody who may watch policies, namespaces and pods")
	node := flag.String("node", "", "the node's name")
	bridge := flag.String("bridge", "", "the device that pods are plugged into")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	enforcing, err := controller(ctx, *kubeconfig, *node)
	if err != nil || ctx.Err() != nil {
		return err
	}
	remove(*bridge)
	defer remove(*bridge)
	if err := install(*bridge); err != nil {
		return err
	}
	fmt.Println("enforcing")
	return enforcing.Run(ctx)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
