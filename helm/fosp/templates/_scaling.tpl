{{- /* What scales a service, by Kubernetes alone or by KEDA. Down slowly: each pod that goes sends its work to others. */}}
{{- define "fosp.scaling" -}}
{{- $target := printf "%s-%s" .root.Release.Name .name -}}
{{- $behavior := dict "scaleDown" (dict "stabilizationWindowSeconds" 300 "policies" (list (dict "type" "Pods" "value" 1 "periodSeconds" 60))) -}}
{{- if .root.Values.keda.enabled -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ $target }}
  labels: {{- include "fosp.labels" (list .root .name) | nindent 4 }}
spec:
  scaleTargetRef: { name: {{ $target }} }
  minReplicaCount: {{ .scaling.min }}
  maxReplicaCount: {{ .scaling.max }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior: {{- $behavior | toYaml | nindent 8 }}
  triggers:
    - type: cpu
      metricType: Utilization
      metadata: { value: {{ .scaling.cpu | quote }} }
    {{- if .scaling.query }}
    - type: prometheus
      metadata:
        serverAddress: {{ .root.Values.keda.prometheus | quote }}
        query: {{ tpl .scaling.query .root | quote }}
        threshold: {{ .scaling.threshold | int | quote }}
    {{- end }}
{{- else -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $target }}
  labels: {{- include "fosp.labels" (list .root .name) | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ $target }} }
  minReplicas: {{ .scaling.min }}
  maxReplicas: {{ .scaling.max }}
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: {{ .scaling.cpu }} } }
  behavior: {{- $behavior | toYaml | nindent 4 }}
{{- end }}
{{- end }}
