{{- /* An image by digest or by tag. */ -}}
{{- define "part.image" -}}
{{ .registry }}/{{ .repository }}{{ if hasPrefix "sha256:" .version }}@{{ else }}:{{ end }}{{ .version }}
{{- end }}

{{- /* Labels that select pods. Takes dict: root, name, and component where a Release has several. */ -}}
{{- define "part.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "part.labels" -}}
{{ include "part.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- /* The metadata of an object. Takes dict as part.selector, and: object, namespace. */ -}}
{{- define "part.metadata" -}}
name: {{ .object }}
namespace: {{ .namespace }}
labels:
  {{- include "part.labels" . | nindent 2 }}
{{- end }}

{{- define "part.serviceAccount" -}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "part.metadata" . | nindent 2 }}
{{- end }}

{{- /* Takes dict as part.metadata, and: service (type, ports). */ -}}
{{- define "part.service" -}}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "part.metadata" . | nindent 2 }}
spec:
  type: {{ .service.type }}
  ports:
    {{- toYaml .service.ports | nindent 4 }}
  selector:
    {{- include "part.selector" . | nindent 4 }}
{{- end }}

{{- /* A container's ports, from its Service's. */ -}}
{{- define "part.containerPorts" -}}
{{- range . }}
- containerPort: {{ .targetPort }}
  protocol: {{ .protocol }}
{{- end }}
{{- end }}

{{- /* An environment variable from a Secret. Takes list: variable, Secret, key. */ -}}
{{- define "part.secretVariable" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end }}

{{- /* What every server's container takes as it is from its values: image, ports, probes, limits. */ -}}
{{- define "part.container" -}}
image: {{ include "part.image" .image }}
imagePullPolicy: {{ .image.pullPolicy }}
ports:
  {{- include "part.containerPorts" .service.ports | indent 2 }}
{{- range $probe := list "readinessProbe" "livenessProbe" }}
{{- with index $ $probe }}
{{ $probe }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  {{- toYaml .containerSecurityContext | nindent 2 }}
{{- end }}

{{- /* The Secrets that a pod's images are pulled with. Takes a component's values. */ -}}
{{- define "part.pullSecrets" -}}
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
