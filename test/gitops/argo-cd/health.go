package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
)

// question is what newHealthCommand reads: the data of argocd-cm, and objects.
type question struct {
	Config  map[string]string `json:"config"`
	Objects []map[string]any  `json:"objects"`
}

// newHealthCommand reads a question from standard input and writes a list with the health of each object, found as Argo
// CD finds it: settings, choice of the script and interpreter are its own. It is null where no script is meant for the object.
func newHealthCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "argocd-health",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var asked question
			if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
				return err
			}
			answers, err := healthOf(command.Context(), asked)
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(answers)
		},
	}
}

func healthOf(ctx context.Context, asked question) ([]*health.HealthStatus, error) {
	const namespace = "argocd"
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: common.ArgoCDConfigMapName, Namespace: namespace, Labels: labels},
		Data:       asked.Config,
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: common.ArgoCDSecretName, Namespace: namespace, Labels: labels},
	}
	overrides, err := settings.NewSettingsManager(ctx, fake.NewClientset(config, secret), namespace).GetResourceOverrides()
	if err != nil {
		return nil, err
	}
	answers := make([]*health.HealthStatus, 0, len(asked.Objects))
	for _, object := range asked.Objects {
		answer, err := lua.ResourceHealthOverrides(overrides).GetResourceHealth(&unstructured.Unstructured{Object: object})
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}
