{{- /* Labels of a component of this release: (list $ "gateway"). */}}
{{- define "fosp.selector" -}}
app.kubernetes.io/name: fosp
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "fosp.labels" -}}
{{ include "fosp.selector" . }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{- define "fosp.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /* The secret with certificate and key of the gateways; empty where they have none. */}}
{{- define "fosp.tlsSecret" -}}
{{- if .Values.tls.certManager.enabled }}{{ .Release.Name }}-tls{{ else }}{{ .Values.tls.existingSecret }}{{ end }}
{{- end }}

{{- /* The same of what is shown to servers of other domains; empty where nothing is. */}}
{{- define "fosp.federationSecret" -}}
{{- with .Values.federation.certificate }}{{ if .enabled }}{{ .existingSecret | default (include "fosp.tlsSecret" $) }}{{ end }}{{ end }}
{{- end }}
