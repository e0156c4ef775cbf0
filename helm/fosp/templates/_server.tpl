{{- /*
One of the servers that keep the data, where they come with this chart: a StatefulSet, the Service by which it is found, and how
many may be away.

  root, name, image, user
  replicas   1 where it is not given
  command    where the image's own is not meant
  args, env, resources
  port       its only one that others use; further ones in `ports`, by name
  probes     startup, liveness, readiness: each an action
  preStop    a command
  grace      seconds
  storage    of /data: { size, class }, else it is in memory
  dataPath   where that is, if not /data
  writable   folders beside it that it must be able to write to
  config     name of a ConfigMap, at /etc/fosp
*/}}
{{- define "fosp.server" -}}
{{- $root := .root -}}
{{- $fullName := printf "%s-%s" $root.Release.Name .name -}}
{{- $labels := include "fosp.labels" (list $root .name) -}}
{{- $selector := include "fosp.selector" (list $root .name) -}}
{{- $ports := merge (dict .name .port) (.ports | default dict) -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $fullName }}
  labels: {{- $labels | nindent 4 }}
spec:
  serviceName: {{ $fullName }}
  replicas: {{ .replicas | default 1 }}
  podManagementPolicy: Parallel
  selector:
    matchLabels: {{- $selector | nindent 6 }}
  template:
    metadata:
      labels: {{- $selector | nindent 8 }}
      annotations: { fosp/config: {{ .checksum | default "none" | quote }} }
    spec:
      {{- include "fosp.pod" (dict "root" $root "user" .user) | nindent 6 }}
      terminationGracePeriodSeconds: {{ .grace | default 30 }}
      {{- include "fosp.spread" (list $root .name) | nindent 6 }}
      containers:
        - name: {{ .name }}
          image: {{ .image }}
          {{- with .command }}
          command: {{ toJson . }}
          {{- end }}
          {{- with .args }}
          args: {{ toJson . }}
          {{- end }}
          {{- with .env }}
          env: {{- . | nindent 12 }}
          {{- end }}
          ports:
            {{- range $port, $number := $ports }}
            - { name: {{ $port }}, containerPort: {{ $number }} }
            {{- end }}
          # Half an hour: what has much on its disk reads it first, and would begin anew each time that it is killed.
          startupProbe: {{ merge (dict "periodSeconds" 2 "timeoutSeconds" 5 "failureThreshold" 900) .probes.startup | toJson }}
          livenessProbe: {{ merge (dict "periodSeconds" 15 "timeoutSeconds" 5 "failureThreshold" 4) .probes.liveness | toJson }}
          readinessProbe: {{ merge (dict "periodSeconds" 5 "timeoutSeconds" 5) .probes.readiness | toJson }}
          {{- with .preStop }}
          lifecycle: { preStop: { exec: { command: {{ toJson . }} } } }
          {{- end }}
          resources: {{- toYaml .resources | nindent 12 }}
          {{- include "fosp.containerSecurity" $root | nindent 10 }}
          volumeMounts:
            - { name: data, mountPath: {{ .dataPath | default "/data" }} }
            {{- range $index, $path := .writable }}
            - { name: writable-{{ $index }}, mountPath: {{ $path }} }
            {{- end }}
            {{- if .config }}
            - { name: config, mountPath: /etc/fosp, readOnly: true }
            {{- end }}
      volumes:
        {{- if not .storage }}
        - { name: data, emptyDir: {} }
        {{- end }}
        {{- range $index, $path := .writable }}
        - { name: writable-{{ $index }}, emptyDir: { medium: Memory, sizeLimit: 64Mi } }
        {{- end }}
        {{- with .config }}
        - { name: config, configMap: { name: {{ . }} } }
        {{- end }}
  {{- with .storage }}
  volumeClaimTemplates:
    - metadata: { name: data }
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .class }}
        storageClassName: {{ . }}
        {{- end }}
        resources: { requests: { storage: {{ .size }} } }
  {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullName }}
  labels: {{- $labels | nindent 4 }}
spec:
  clusterIP: None
  # Those of one kind find each other before they are ready.
  publishNotReadyAddresses: {{ ne .name "postgres" }}
  selector: {{- $selector | nindent 4 }}
  ports:
    - { name: {{ .name }}, port: {{ .port }}, targetPort: {{ .name }} }
---
{{ include "fosp.disruptionBudget" (list $root .name) }}
{{- end }}
