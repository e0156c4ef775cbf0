{{- /*
What every pod has in common, whoever made its image: (dict "root" $ "user" 1000). No token, no variables of other services
(Kubernetes would set FOSP_… for a release named fosp), the rules of the "restricted" pod security standard.
*/}}
{{- define "fosp.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user | default 1000 }}
  runAsGroup: {{ .user | default 1000 }}
  fsGroup: {{ .user | default 1000 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "fosp.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- /*
Pods of a component apart from each other: (list $ "gateway"), with a third, a list, the labels whose values set generations of pods
apart. Each generation is spread by itself, and over nodes that would take it: an emptied node, or one of the control plane, has
none of these pods, and counted along it would keep the next one waiting for ever.
*/}}
{{- define "fosp.spread" -}}
{{- $values := (index . 0).Values -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector: { matchLabels: {{ include "fosp.selector" . | fromYaml | toJson }} }
topologySpreadConstraints:
  {{- range $key, $unsatisfied := dict "topology.kubernetes.io/zone" $values.spread.zone "kubernetes.io/hostname" $values.spread.host }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $unsatisfied }}
    nodeTaintsPolicy: Honor
    {{- if gt (len $) 2 }}
    matchLabelKeys: {{ index $ 2 | toJson }}
    {{- end }}
    labelSelector: { matchLabels: {{ include "fosp.selector" $ | fromYaml | toJson }} }
  {{- end }}
{{- end }}

{{- /* One pod at a time is taken away by whoever empties nodes: (list $ "gateway"). */}}
{{- define "fosp.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ (index . 0).Release.Name }}-{{ index . 1 }}
  labels: {{- include "fosp.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "fosp.selector" . | nindent 6 }}
{{- end }}
