{{- /*
A service: its Deployment, how many may be away, and what scales it.

  root     $
  name     of the service: the image's argument, its key in `services`, and `fosp.env.NAME` are its variables
  ports    further ports by name, beside the admin port
  preStop  seconds that it goes on as before after it was told to go
  apart    seconds that a new pod must have been ready before the next one is replaced; 5 where it is not given
  mounts   by name: { path, source }

Its probes ask three things. startup: has its start come to an end? It is not waited for forever, and nothing else is asked
before. liveness: does it still answer? That NATS or Postgres are away is no reason to kill it. readiness: may it be given work?
*/}}
{{- define "fosp.workload" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $values := index $root.Values.services $name -}}
{{- $labels := include "fosp.labels" (list $root $name) -}}
{{- $selector := include "fosp.selector" (list $root $name) -}}
{{- $env := printf "%s\n%s" (include "fosp.common" $root) (include (printf "fosp.env.%s" $name) $root) | trim -}}
{{- $secrets := include "fosp.secretVariables" $root | fromYaml -}}
{{- $preStop := .preStop | default 0 | int -}}
{{- $apart := ternary .apart 5 (hasKey . "apart") | int -}}
{{- $mounts := .mounts | default dict -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $root.Release.Name }}-{{ $name }}
  labels: {{- $labels | nindent 4 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  minReadySeconds: {{ $apart }}
  progressDeadlineSeconds: {{ add $apart 600 }}
  revisionHistoryLimit: 5
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  selector:
    matchLabels: {{- $selector | nindent 6 }}
  template:
    metadata:
      labels:
        {{- $selector | nindent 8 }}
        fosp/metrics: admin
      {{- with $values.annotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "fosp.pod" (dict "root" $root) | nindent 6 }}
      # The time before the signal, that of the drain, and some for what comes in between.
      terminationGracePeriodSeconds: {{ add $preStop $root.Values.drain.seconds 5 }}
      {{- include "fosp.spread" (list $root $name (list "pod-template-hash")) | nindent 6 }}
      {{- with $values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if and $root.Values.dev.enabled (eq $name "objects") }}
      initContainers:
        - {{- include "fosp.migrate" $root | nindent 10 }}
      {{- end }}
      containers:
        - name: {{ $name }}
          image: {{ include "fosp.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ $name }}]
          env:
            {{- $env | nindent 12 }}
            {{- range $variable, $value := $values.env }}
            {{- if regexMatch (printf "name: %s[,\n]" $variable) $env }}
            {{- fail (printf "services.%s.env.%s: the chart sets this variable itself; README.md says by which value" $name $variable) }}
            {{- else if hasKey $secrets $variable }}
            {{- fail (printf "services.%s.env.%s: it is a secret, which is for no values; %s says which Kubernetes secret has it" $name $variable (index $secrets $variable)) }}
            {{- end }}
            - { name: {{ $variable }}, value: {{ $value | quote }} }
            {{- end }}
          ports:
            - { name: admin, containerPort: 9090 }
            {{- range $port, $number := .ports }}
            - { name: {{ $port }}, containerPort: {{ $number }} }
            {{- end }}
          startupProbe: { httpGet: { path: /startupz, port: admin }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 }
          livenessProbe: { httpGet: { path: /livez, port: admin }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }
          readinessProbe: { httpGet: { path: /readyz, port: admin }, periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 2 }
          {{- if $preStop }}
          lifecycle: { preStop: { exec: { command: [sleep, {{ $preStop | quote }}] } } }
          {{- end }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          {{- include "fosp.containerSecurity" $root | nindent 10 }}
          {{- with $mounts }}
          volumeMounts:
            {{- range $volume, $mount := . }}
            - { name: {{ $volume }}, mountPath: {{ $mount.path }}, readOnly: true }
            {{- end }}
          {{- end }}
      {{- with $mounts }}
      volumes:
        {{- range $volume, $mount := . }}
        - {{- merge (dict "name" $volume) $mount.source | toYaml | nindent 10 }}
        {{- end }}
      {{- end }}
---
{{ include "fosp.disruptionBudget" (list $root $name) }}
{{- if $values.autoscaling.enabled }}
---
{{ include "fosp.scaling" (dict "root" $root "name" $name "scaling" $values.autoscaling) }}
{{- end }}
{{- end }}
