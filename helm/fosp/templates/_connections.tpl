{{- /* Variables of the containers: what each service is told, in one place. */}}

{{- define "fosp.common" -}}
{{- include "fosp.url" (dict "variable" "FOSP_NATS_URL" "password" "NATS_PASSWORD" "from" (include "fosp.natsFrom" . | fromYaml)) }}
- { name: FOSP_NATS_REPLICAS, value: {{ .Values.nats.replicas | quote }} }
{{- with .Values.nats.prefix }}
- { name: FOSP_NATS_PREFIX, value: {{ . | quote }} }
{{- end }}
- { name: FOSP_HOST, value: {{ .Values.listen | quote }} }
- { name: FOSP_ADMIN_HOST, value: {{ .Values.listen | quote }} }
- { name: FOSP_ADMIN_PORT, value: "9090" }
- { name: FOSP_LOG_LEVEL, value: {{ .Values.logLevel }} }
- { name: FOSP_DRAIN_SECONDS, value: {{ .Values.drain.seconds | quote }} }
{{- with .Values.tracing }}
{{- if .endpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }} }
- { name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio }
- { name: OTEL_TRACES_SAMPLER_ARG, value: {{ .ratio | quote }} }
- { name: OTEL_RESOURCE_ATTRIBUTES, value: "service.namespace={{ $.Release.Name }},k8s.namespace.name={{ $.Release.Namespace }}" }
{{- with .existingSecret }}
{{- if .name }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .key }} } }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Of gateways, which have the links of other domains, and of federation, which has ours to them. */}}
{{- define "fosp.tracePeers" -}}
{{- with .Values.tracing.peers }}
- { name: FOSP_TRACES_PEERS, value: {{ join "," . | quote }} }
{{- end }}
{{- end }}

{{- /* The variables of services that are secrets, all of them, and the values by which each comes from a secret of Kubernetes. */}}
{{- define "fosp.secretVariables" -}}
FOSP_ADMIN_TOKEN: admin.existingSecret
FOSP_FEDERATION_KEY: federation.certificate.existingSecret
FOSP_NATS_URL: nats.existingSecret
FOSP_POSTGRES_URL: postgres.existingSecret
FOSP_REDIS_URL: redis.existingSecret
FOSP_S3_SECRET_ACCESS_KEY: s3.existingSecret
FOSP_TLS_KEY: tls.existingSecret
{{- end }}

{{- define "fosp.domains" -}}
- { name: FOSP_DOMAIN, value: {{ join "," .Values.domains | quote }} }
{{- end }}

{{- define "fosp.exchange" -}}
- { name: FOSP_FEDERATION, value: {{ ternary "on" "off" .Values.federation.enabled | quote }} }
{{- end }}

{{- /* Where NATS is: bundled, in `dev` too, or elsewhere. */}}
{{- define "fosp.natsFrom" -}}
{{- if or .Values.nats.bundled.enabled .Values.dev.enabled -}}
{{- $secret := .Values.nats.existingSecret -}}
url: nats://{{ if $secret.name }}fosp:$(NATS_PASSWORD)@{{ end }}{{ .Release.Name }}-nats:4222
existingSecret: {{ $secret | toJson }}
{{- else -}}
{{ .Values.nats | toYaml }}
{{- end }}
{{- end }}

{{- define "fosp.postgres" -}}
{{- $bundled := dict "url" (printf "postgres://fosp:for-this-namespace-alone@%s-postgres/fosp" .Release.Name) "existingSecret" dict -}}
{{- include "fosp.url" (dict "variable" "FOSP_POSTGRES_URL" "password" "POSTGRES_PASSWORD" "from" (ternary $bundled .Values.postgres .Values.dev.enabled)) }}
{{- end }}

{{- define "fosp.redis" -}}
{{- $bundled := dict "url" (printf "redis://%s-redis:6379" .Release.Name) "existingSecret" dict -}}
{{- include "fosp.url" (dict "variable" "FOSP_REDIS_URL" "password" "REDIS_PASSWORD" "from" (ternary $bundled .Values.redis .Values.dev.enabled)) }}
{{- end }}

{{- define "fosp.s3" -}}
- { name: FOSP_S3_REGION, value: {{ .Values.s3.region | quote }} }
- { name: FOSP_S3_BUCKET, value: {{ .Values.s3.bucket | quote }} }
{{- if .Values.dev.enabled }}
- { name: FOSP_S3_ENDPOINT, value: "http://{{ .Release.Name }}-s3:7070" }
- { name: FOSP_S3_FORCE_PATH_STYLE, value: "on" }
- { name: FOSP_S3_ACCESS_KEY_ID, value: fosp }
- { name: FOSP_S3_SECRET_ACCESS_KEY, value: for-this-namespace-alone }
{{- else }}
{{- with .Values.s3 }}
- { name: FOSP_S3_ENDPOINT, value: {{ .endpoint | quote }} }
- { name: FOSP_S3_FORCE_PATH_STYLE, value: {{ ternary "on" "off" .forcePathStyle | quote }} }
- name: FOSP_S3_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ .existingSecret.name }}, key: {{ .existingSecret.accessKeyIdKey }} } }
- name: FOSP_S3_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ .existingSecret.name }}, key: {{ .existingSecret.secretAccessKeyKey }} } }
{{- end }}
{{- end }}
{{- end }}

{{- /* A URL as it is, or with the password that a secret has, or one that a secret has as a whole. */}}
{{- define "fosp.url" -}}
{{- $secret := .from.existingSecret -}}
{{- if $secret.name }}
- name: {{ ternary .password .variable (ne .from.url "") }}
  valueFrom: { secretKeyRef: { name: {{ $secret.name }}, key: {{ $secret.key }} } }
{{- end }}
{{- if .from.url }}
- { name: {{ .variable }}, value: {{ .from.url | quote }} }
{{- end }}
{{- end }}

{{- /* Gateways reach this very pod with a transfer, by its own address: (list $ "FOSP_ATTACHMENTS"). */}}
{{- define "fosp.transfers" -}}
- { name: {{ index . 1 }}_HOST, value: {{ (index . 0).Values.listen | quote }} }
- { name: {{ index . 1 }}_PORT, value: "9091" }
- name: {{ index . 1 }}_ADVERTISED_HOST
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- end }}
