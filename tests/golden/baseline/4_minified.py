import faulthandler,hashlib as E,io,numpy as F,os as r,signal,subprocess,sys as s,time as n,torch as e,torch.distributed as o,torch.nn.functional as G,traceback,zlib
from functools import partial as H
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as I
from typing import NamedTuple as a
def eo(a,t):
 if not a.n:return t,
 s=range(a.shape[0]//len(a.n));return tuple(e.format(r)for e in a.n for r in s)
def p(o):
 h=[]
 for a in o:
  if a.n:
   s=range(a.shape[0]//len(a.n))
   for(e,l)in zip(a.n,a.init,strict=True):h+=[(e.format(r),l,a)for r in s]
  else:h+=[(t,a.init,a)for t in a.s()]
 return h
def ei(i,o,n,s):
 for a in o:
  d=s if a.dtype=='activation'else e.float32
  for t in a.s():
   *l,c=t.split('.');h=i
   for r in l:
    if r not in h._modules:h.add_module(r,I.ModuleList())
    h=h._modules[r]
   h.register_parameter(c,I.Parameter(e.empty(a.shape,dtype=d,device=n)))
def en(a,t):d=E.sha256(f"{a}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(d[:7],'little'))
def es(h,o,a,i):
 n=g(h.state_dict(),o)
 for(t,l,r)in p(o):s=e.empty(n[t].shape);l(s,en(a,t),i);n[t].copy_(s)
def g(n,o):
 h=[]
 for a in o:
  for t in a.s():h+=n[t].unbind()if a.n else[n[t]]
 return{t:s for((t,r,r),s)in zip(p(o),h,strict=True)}
def er(tensor,generator,ledger):tensor.zero_()
def i(tensor,generator,ledger):tensor.fill_(1.)
def eh(tensor,generator,ledger):tensor.fill_(1.5)
def el(tensor,generator,ledger):tensor.normal_(.0,.005,generator=generator)
def ed():
 a=r.environ.get;h,t,s=int(a('RANK',0)),int(a('WORLD_SIZE',1)),int(a('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8, the micro-batches of a step")
 return h,t,s
def ec():
 global c,of,d,l;h,t,s=ed();a,n='gloo',e.device('cpu')
 if e.cuda.is_available():a,n='nccl',e.device('cuda',s);e.cuda.set_device(n)
 if t>1:o.init_process_group(a)
 d=h;l=t;of=s;c=n;return
def eu():
 if l>1:o.destroy_process_group()
def em(s):
 if l>1:o.all_reduce(s)
 return s
def ef(d):
 a=[d]*l
 if l>1:o.all_gather_object(a,d)
 return a
def ep(d):
 if l==1:return d
 a=e.tensor(d,dtype=float,device=c);o.all_reduce(a,o.ReduceOp.MAX);return a.item()
def eg(s):
 if s.grad is None:s.grad=e.zeros_like(s)
 return s.grad
def ew(h):
 r=[eg(s)for s in h]
 if l>1:
  m=e.cat([t.flatten()for t in r]);o.all_reduce(m);a=(m/l).split([t.numel()for t in r])
  for(t,f)in zip(r,a,strict=True):t.copy_(f.view_as(t))
def ey():
 t=''
 try:aP()
 except(OSError,ValueError)as a:t=f"{X}: {a}"
 for(h,s)in enumerate(ef(t)):
  if s:raise ValueError(f"{s} (on rank {h})"if h else s)
def eb(s):
 if s is not None:h(f"prepared {X}: {s}")
class Param(a):
 name:a;shape:a;group:a;v:a;init:a=None;b:a='';dtype:a='float32';layers:a=0;n:a=();reduction:a='replicated';x:a='';u:a=True;z:a=True;export:a='yes'
 def s(e):return[e.name.format(r)for r in range(e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class w:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def o(e,h,s):e.done[h,'']=s
 def k(e,h):return', '.join(f"{s} {a}".strip()for((t,a),s)in e.done.items()if t==h and s)
def ev(h,r):return(h/y(r)).round().clamp(-127,127).to(e.int8)
def y(r):return r[:,None]if r.ndim else r
def ek(a,r,h):return(a.float()*y(r).float()).to(h)
def ex(a,h):
 if'kept'in a:return a['kept'].to(h)
 return ek(a['codes'],a['step'],h)
def b(t,a):
 s=r.environ.get(t,a)
 try:return int(s)
 except ValueError:raise ValueError(f"{t} is {s!r}, wanted a whole number like {a!r}")from None
def ej():
 s=r.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(s)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {s!r}, wanted seconds like 600.0")from None
def eq():global M,N,O,P,aU,Q,R,aV,aW,aX;a=r.environ.get;M=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');N='export'in s.argv;O=b('ITERATIONS',20000);P=ej();aU=a('RUN_ID',str(n.time_ns()));Q='score'in s.argv;R=b('SEED',1337);aV=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');aW=b('TRAIN_LOG_EVERY',200);aX=b('VAL_LOSS_EVERY',1000);return
class Score(a):val_loss:a;l:a;j:a;p:a
def ez(r):
 if r.numel():raise ValueError(f"target {r[0]} of the validation stream is not scored")
def eA(r):h=Z[r].to(c,int);s=h[:,:-1].contiguous();return s,h[:,1:].contiguous(),eB(s)
def eB(h):return{}
def eC(t,d,r,i):
 u,n=r[:,1:],c;t[u[i]]=d;s,o,p=eA(r)
 with e.set_grad_enabled(False):m=oe(s,o,phases=(),fields=p,reduction='none',adapter=None)
 h,l=ay(s,o,u.to(n)),i.to(n);a=m.detach().double()*l,l,h*l;return m,e.stack([f.sum().double()for f in a])
def eD(t,a):
 if l>1:t=t.to(c);o.all_reduce(t,a)
 return t.cpu()
def eE(t,m,p):
 ez(1+(t[1:]==0).nonzero().flatten());r,s,a=em(m).tolist()
 if s>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(r/s,r/.6931471805599453/a,int(s),1e3*(n.perf_counter()-p))
def eF(scored_at):
 if d==0:l=f"logs/{aU}.scores.npz";F.savez_compressed(l,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;A:a
def eG(a):return[Span(s,s+1024,0)for s in range(0,(a-1)//1024*1024,1024)]
def eH(a,h,t):return a[len(a)*h//t:len(a)*(h+1)//t]
def eI(u,a):
 r=e.zeros(a,1025,dtype=int);i=e.zeros(a,1024,dtype=bool)
 for(h,(s,t,n))in enumerate(u):r[h,:t+1-s]=e.arange(s,t+1);i[h,n:t-s]=True
 return r,i
def eJ(u):
 p,a=n.perf_counter(),aZ;f.eval();u=eH(u,d,l);t=e.zeros(len(Z),dtype=e.int32);m=e.zeros(3,dtype=float,device=c)
 for(A,s)in enumerate(range(0,len(u),a),1):
  r,i=eI(u[s:s+a],a);m+=eC(t,A,r,i)[1]
  if A%100==0:h(f"eval: batch {A}")
 f.train();t=eD(t,o.ReduceOp.MAX);return eE(t,m,p),t
def eK(o):return{t:a.v for(t,r,a)in p(o)if a.export!='drop'}
def eL(n,o,l,i,s=0):
 h,r=eK(o),{}
 for(t,e)in h.items():a=L[e].encode(t,n[t],l.get(t,{}),i);r[t]={c:d.cpu()for(c,d)in a.items()}
 return eM(r)
def eM(r):return r
def eN(r,i):return am(ac(r,i),i)
def eO(data,n):
 t=2**20+sum(8*s.numel()+4096 for s in n.values())
 try:return au(af(data,t))
 except Exception as a:raise ValueError(f"the artifact cannot be read: {a}")from a
def eP(t,a,e,h):return L[e].decode(t,a,h)
def eQ(r,n,o):
 h=eK(o)
 if r.keys()!=h.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,e)in h.items():
  try:s=eR(t,r[t],e,n[t].dtype)
  except Exception as a:raise ValueError(f"the artifact's {t} cannot be decoded: {a!r}")from a
  if s.shape!=n[t].shape:raise ValueError(f"{t}: shape {[*s.shape]}, wanted {[*n[t].shape]}")
  n[t].copy_(s)
def eR(t,a,e,h):return eP(t,a,e,h)
def eS(n,h,a):
 global T,S,on;on,T=h,h==0;t('logs').mkdir(exist_ok=True);S=t('logs',n+'.txt')
 if T and not a:S.write_text('')
 s.excepthook=H(eU,S);faulthandler.register(signal.SIGTERM,S.open('a'),chain=True)
def h(a):
 if T:
  print(a,flush=True)
  with S.open('a')as e:print(a,file=e)
def eT(s):
 if T:h(f"error: {s}")
 elif s not in S.read_text():
  with S.open('a')as e:print(f"rank {on}: error: {s}",file=e)
def eU(path,kind,error,trace):
 with path.open('a')as e:traceback.print_exception(error,file=e)
 s.__excepthook__(kind,error,trace)
def eV(n):
 d=E.sha256(t(s.argv[0]).read_bytes()).hexdigest();a=f"hardware:{r.uname().machine} CPU, {e.get_num_threads()} threads"
 if n.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 h(f"Running Python {s.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{d}\n{a}")
def v():return len(t(s.argv[0]).read_bytes())
aQ='final_model.pt'
def k():return L['mlp'].name
def eW():return t(f"final_model.{k()}.ptz")
def eX(r):
 n=g(f.state_dict(),u)
 if d==0:t('final_export.pt').unlink(missing_ok=True);x(H(e.save,n),'final_model.pt')
 l=tt()
 if d==0:h=l,m.done,W,Y,V;x(H(e.save,h),'final_export.pt')
 eY(n,l)
def eY(n,l):
 a=tj();A('diagnostic','val');h(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.l:.8f} eval_time:{a.p:.0f}ms")
 if d==0:ta(n,l)
 ep(.0);ti()
def x(s,l):
 a=t('final_model.tmp')
 try:
  s(a)
  with a.open('rb')as e:r.fsync(e.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def eZ():
 global V,Y,W;n=g(f.state_dict(),u);r,h=te('final_model.pt'),te('final_export.pt');a=[t for t in n if t not in r or r[t].shape!=n[t].shape]
 if a:raise ValueError(f"final_model.pt is of another model: {a[0]} is missing or has another shape")
 for(t,s)in n.items():s.copy_(r[t])
 l,e,W,Y,V=h;m.done.update(e);tv(V);eY(n,l)
def te(l):
 try:return e.load(l,c,weights_only=True)
 except OSError:raise
 except Exception as a:raise ValueError(f"{l} is damaged: {str(a)[:99]!r}")from a
def tt():global U;l={};U=False;return l
def ta(n,l):r=eL(n,u,l,m,v());A('quantize','none');c=eN(r,m);A('compress','none');x(H(t.write_bytes,data=c),eW());s=f"{k()}+zlib";h(f"Serialized model: {t(aQ).stat().st_size} bytes\nCode size: {v()} bytes\nSerialized model {s}: {len(c)} bytes\nTotal submission size {s}: {len(c)+v()} bytes")
def to():
 o=u;n=g(f.state_dict(),o)
 for s in n.values():s.zero_()
 c=eW().read_bytes();d=E.sha256(c).hexdigest()
 if Q:
  a=''.join(l.read_text()for l in t('logs').glob('*.txt'))
  if'artifact_sha256:'in a and d not in a:raise ValueError('the artifact is not that of the logs in logs/')
 h('artifact_sha256:'+d);eQ(eO(c,n),n,o)
def ti():s=k();to();A('decode','none');a,t=eJ(eG(len(Z)));A('score','val');tn(f"{s}_zlib_roundtrip",a);eF(t);m.count('chunked_eval','targets',a.j)
def tn(s,a):h(f"final_{s} val_loss:{a.val_loss:.4f} val_bpb:{a.l:.4f} eval_time:{a.p:.0f}ms\nfinal_{s}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.l:.8f}")
def ts():
 a=[];s=False
 for t in aT:
  r=m.k(t)
  if r and t not in a:h(f"receipt {t}: {r}")
  else:h(f"error: plugin {t} did nothing");s=d==0
 return s
class tr:
 def __init__(e,h,o):n=[(h.get_parameter(t),eo(a,t),a)for a in o for t in a.s()];e.tensors=[s for(s,r,a)in n];e.names=[r for(s,r,a)in n];e.replicated=[s for(s,r,a)in n if a.reduction=='replicated'];e.c=[s for(s,r,a)in n if a.u];e.w=[r for(s,r,a)in n if a.u];d=[s for(s,r,a)in n if a.group=='matrix'];c=[r for(s,r,a)in n if a.group=='matrix'];az(d,c);l=[(i,[s for(s,r,a)in n if a.group==i.name],[r for(s,r,a)in n if a.group==i.name])for i in aS];ax(l)
 @e.no_grad()
 def step(e,scalars,ledger):
  aA();ew(e.replicated);aj(scalars,ledger);aB(scalars,ledger)
  for s in e.tensors:s.grad=None
def th(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def tl():return{}
def td(t,r):return aE(t).contiguous()
def tc(t,h,s):h.mul_(s).add_(t);return t.add(h,alpha=s)
def tu(a):return max(1,a.shape[-2]/a.shape[-1])**.5
class Progress(a):step:a;y:a;f:a;m:a;B:a;i:a
class Scalars(a):i:a;q:a;momentum:a
def tm(r,e,t,s):h=t/s if s>0 else r/max(e,1);return Progress(r,e,t,s,h,1.)
class Context(a):
 ids:a;phases:a;training:a;r:a;memo:a;fields:a;d:a;g:a;ledger:a
 def t(e,h,a,s=1):
  if e.ledger is not None:e.ledger.count(h,a,s)
def j(s):return G.rms_norm(s,(s.size(-1),),eps=1.1920929e-07)
def tf(h):return h
def tp(h,s,n,r,a,t):
 h=tf(h)
 if t.g is not None:t.g(n,r,s)
 return q(G.linear(s,h.to(s.dtype)),s,n,a,t)
def q(o,s,r,a,t):
 if t.d is not None and r in t.d.sites:o=o+t.d.delta(s,r,a)
 return o
def tg(a,t):
 if'rope'not in t.memo:d,c,n=a.size(1),a.size(3),a.device;s=1e4**(-e.arange(0,c,2,dtype=e.float32,device=n)/c);r=e.outer(e.arange(d,dtype=e.float32,device=n),s);t.memo['rope']=r.cos(),r.sin()
 h,l=(m[None,:,None,:].to(a.dtype)for m in t.memo['rope']);o,i=a.chunk(2,-1);return e.cat((o*h+i*l,i*h-o*l),-1)
class GPT(I.Module):
 def __init__(e,o,n,s):super().__init__();e.records=o;ei(e,o,n,s)
 def matrices(e):return g(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tf(ctx.r[f"blocks.{layer}.{role}.weight"])
 def h(e,s,n,r,a,t):return tp(t.r[f"blocks.{r}.{n}.weight"],s,n,r,a,t)
 def stem(e,ids,ctx):s=G.embedding(ids,ctx.r['tok_emb.weight']);s=j(s);return s
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):a=fields or{};r={};fields={**r,**a};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);s=e.stem(ids,t);s=j(an(e,s,s,t));n=ar(s,t);c=tT(n,targets,reduction,t);return c
def tw(a):
 a=t(a);s=sorted(l for l in a.parent.glob(a.name)if('_bytes_'in l.name)==('_bytes_'in a.name))
 if not s:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return s
def ty(l):
 a,s=t(l).stat().st_size,F.fromfile(l,'<i4',3).tolist()
 if a<=1024 or s!=[20240520,1,(a-1024)/2]:raise ValueError(f"{l}: {a} bytes and header {s}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return s[2]
def z(l):
 s=F.memmap(l,'<u2','r',1024,ty(l))
 if s.max()>=1024:raise ValueError(f"{l}: token {s.argmax()} is {s.max()}, wanted an id below 1024")
 return s
def tb(a):
 s=F.concatenate([z(l)for l in tw(a)])
 if len(s)<=1024:raise ValueError(f"{a}: {len(s)} tokens, wanted at least 1025")
 return e.from_numpy(s[:(len(s)-1)//1024*1024+1])
def tv(t):global aY;aY=n.perf_counter()-t/1e3
def A(t,data):global V;a=1e3*(n.perf_counter()-aY);h(f"stage:{t} begin:{V:.0f}ms end:{a:.0f}ms data:{data}");V=a
def tk(o,i):global V,Y,oe,m,f,u,W,X,op,aZ,aY,Z,U;u=o;m=i;W=();X='';V=.0;aY=n.perf_counter();Y=False;U=not(Q or N);op=0;aZ=max(64,1);s=e.bfloat16 if c.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;f=GPT(o,c,s);es(f,o,R,i);oe=th(f);a=t(M,'fineweb_val_*.bin');Z=tb(a);aw(aV,M,c,i);d=E.sha256(Z.numpy().data).hexdigest();h(f"val_loader:shards pattern={a} tokens:{len(Z)-1}\nval_sha256:{d}")
def B(i):a=t(M,'fineweb_train_*.bin');ab(a,d,l,i)
def tx():
 if not U:raise ValueError('training data are closed: training time is over')
 A=ak();s,o=(f.to(c,non_blocking=True)for f in A);return s,o,{}
def tj():return eJ(eG(len(Z)))[0]
def tq():a=[()];return a
def tz():
 h,i=f,m;s,o,p=tx();s,o=s[:1,:512],o[:1,:512];p={t:d[:1,:512]for(t,d)in p.items()};h(s,o,phases=(),fields=p,ledger=i).backward()
 for a in u:r=sum(h.get_parameter(t).grad is not None for t in a.s());i.count(a.b,'trained tensors',r)
 h.zero_grad()
def tA():
 n=f.state_dict();a={t:s.clone()for(t,s)in n.items()};d,o=tr(f,u),w();B(o)
 for l in tq():
  for r in range(20):tF(d,l,Scalars(1.,1.,.9),o);h(' '.join((f"warmup_step:{r+1}/20",*l)))
 for(t,s)in n.items():s.copy_(a[t])
 e.manual_seed(R);B(m)
def tB(o):
 try:l,m,i=eq(),ec(),w()
 except ValueError as a:print(f"error: {a}",file=s.stderr);s.exit(2)
 n=ef(aU)[0];eS(n,d,N);e.manual_seed(R);e.backends.cuda.matmul.allow_tf32=True
 if P==0:tD()
 eV(c);h('plugins:'+' '.join(aT));tC(o,i)
 if U:
  tE();tz();tA();r=tI()
  try:eX(r)
  except(OSError,ValueError)as a:eT(str(a));s.exit(f"error: rank {d}: {a}")
 t=not Q and(ts()or Y);eu()
 if t:s.exit(1)
def tC(o,i):
 global W
 try:
  tk(o,i);ey()
  if N:eZ()
  elif Q:W=();ti()
  else:B(w())
  return
 except(OSError,ValueError)as a:
  eT(str(a))
  if not N:eu()
  s.exit(2)
def tD():r.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tE():t=l;h(f"model_params:{sum(s.numel()for s in f.parameters())}\nworld_size:{t} grad_accum_steps:{8//t}\nseed:{R}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{O} warmup_steps:20 max_wallclock_seconds:{P:.3f}")
def tF(d,m,n,i):
 a=8//l;t=.0
 for r in range(a):s,o,p=tx();c=oe(s,o,phases=m,fields=p)/a;t+=c.detach();c.backward()
 d.step(n,i);return t
def tG(r,t,s):
 a=tm(r,O,t,s);n=Scalars(1.,1.,.0)
 for e in(aq,aM):n=e(a,n,m)
 return n
def tH():a=P;return 1e3*a
def tI():
 d=tr(f,u);aF(d.c,d.w);s,r,t=tH(),0,.0;aI()
 while True:
  l=r==O or 0<s<=t
  if l or aX>0 and r%aX==0:
   aJ(m);a=tj();tJ(r,f"val_loss:{a.val_loss:.4f} val_bpb:{a.l:.4f}",t)
   if l:break
   aI()
  n=tG(r,t,s);c=tF(d,W,n,m);r+=1;aG(d.c,r,n);t=ep(aK(r))
  if aW>0 and(r<=10 or r%aW==0):
   tJ(r,f"train_loss:{c:.4f}",t)
   if c!=c:raise ValueError('the training loss is not a number')
 if r<O:h(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{r}/{O}")
 o,i=e.cuda.max_memory_allocated()>>20,e.cuda.max_memory_reserved()>>20;h(f"peak memory allocated: {o} MiB reserved: {i} MiB");aH(d.c,m);tv(t);A('train','train');return r
def tJ(r,a,t):h(f"step:{r}/{O} {a} train_time:{t:.0f}ms step_avg:{t/max(r,1):.2f}ms")
def tK(s,a,o,t):t.t('additive_skips','skips');return s+t.r['skip_weights'][o].to(s.dtype)*a
def tL(h,s,r,a,t):n=h.h(s,'attn.c_q',r,a,t);l=h.h(s,'attn.c_k',r,a,t);i=h.h(s,'attn.c_v',r,a,t);n=tX(j(e.unflatten(n,2,(8,-1))),t);l=tX(j(e.unflatten(l,2,(4,-1))),t);i=e.unflatten(i,2,(4,-1));n,l=tU(n,l,r,t);o=tS(n,l,i,t);o=h.h(o.flatten(2),'attn.proj',r,a,t);return q(o,s,'attn',a,t)
def tM(a,s,r):n,l,i=a.transpose(1,2),s.transpose(1,2),r.transpose(1,2);t=n.size(1)!=l.size(1);return G.scaled_dot_product_attention(n,l,i,is_causal=True,enable_gqa=t).transpose(1,2)
def tN(n):
 if n.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return tQ(),None
def tO(t,a,s,r):o=t(a,s,r,causal=True,window_size=(-1,0));return o[0]if isinstance(o,tuple)else o
def tP(t,a,s,r):
 if t is not None:return tO(t,a,s,r)
 return tM(a,s,r)
def tQ():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def tR():global aR;t,aR=tN(c);return t
def tS(n,l,i,t):t.t('causal_attention','layers');return tP(aR,n,l,i)
def tT(a,s,reduction,t):t.t('cross_entropy','losses');c=G.cross_entropy(a.flatten(0,1).float(),s.flatten(),reduction=reduction);return c.view_as(s)if reduction=='none'else c
def tU(a,s,r,t):t.t('qk_gain','layers');e=t.r[f"blocks.{r}.attn.q_gain"].to(a.dtype);return a*e[:,None],s
def tV(h,s,r,a,t):t.t('relu2','layers');e=G.relu(h.h(s,'mlp.fc',r,a,t)).square();return h.h(e,'mlp.proj',r,a,t)
def tW(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def tX(a,t):t.t('rope','rotations');return tg(a,t)
def tY(s,e,r,t):a=t.r[f"blocks.{r}.resid_mix"].to(s.dtype);return a[0]*s+a[1]*e
def tZ(s):a=j(s);return a
def ae(h,s,r,a,t):e=tL(h,s,r,a,t);return t.r[f"blocks.{r}.attn_scale"].to(s.dtype)*e
def at(h,s,r,a,t):e=q(tV(h,s,r,a,t),s,'mlp',a,t);return t.r[f"blocks.{r}.mlp_scale"].to(s.dtype)*e
def aa(h,s,e,r,a,t):o=tY(s[0],e,r,t);o=o+ae(h,tZ(o),r,a,t);return o+at(h,tZ(o),r,a,t),
def ao(s,a,o,r,t):
 if a is None:return s
 return tK(s[0],a,o,t),*s[1:]
def ai(h,s,e,t):
 i,l=ah(t.phases);t.t('unet_plan','steps over 9 layers',len(i)+len(l));n=[]
 for(a,r)in enumerate(i):s=aa(h,s,e,r,a,t);n.append(s[0])
 for(o,r)in enumerate(l):s=ao(s,n.pop()if n else None,o,r,t);s=aa(h,s,e,r,len(i)+o,t)
 return s
def an(h,a,s,t):t.t('sequential_wiring','walks');return ai(h,(a,),s,t)[0]
def ar(a,t):t.t('tied_head','heads');s=tp(t.r['tok_emb.weight'],a,'head',0,0,t);return 3e1*e.tanh(s/3e1)
def ah(m):s=tuple(range(9));return s[:len(s)//2],s[len(s)//2:]
def C(tensor,generator,ledger):a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator);ledger.count('uniform_init','matrices')
def al(r):h=io.BytesIO();n={s.intern(t):{s.intern(c):f for(c,f)in a.items()}for(t,a)in r.items()};e.save(n,h);return h.getvalue()
def ad(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def ac(r,i):c=al(r);i.o('torch_save',f"{len(r)} tensors in {len(c)} bytes");return c
def au(data):return ad(data)
def am(data,i):m=zlib.compress(data,9);i.o('zlib',f"{len(data)} -> {len(m)} bytes");return m
def af(data,t):
 l=zlib.decompressobj();a=l.decompress(data,t)
 if not l.eof or l.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def ap(l):
 try:t=SentencePieceProcessor(l)
 except(OSError,RuntimeError)as a:raise OSError(f"{l}: not a SentencePiece model")from a
 if len(t)>1024:raise ValueError(f"{l} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{l}: U+2581 is not a piece of its own")
 return t
def ag(t):
 a=[(0,0,1)]*1024
 for s in range(len(t)):
  if not(t.is_control(s)or t.is_unknown(s)or t.is_unused(s)):r=t.id_to_piece(s);h=r.startswith('\u2581');a[s]=1 if t.is_byte(s)else len(r.encode())-3*h,h,0
 return e.tensor(a).T
def aw(a,s,n,i):
 global ol,oh,ot,os
 if any(t(s).glob('*_bytes_*')):raise ValueError(f"{s}: it has byte side files, build with the plugin that reads them")
 r=ag(ap(a));os,oh,ol=r.to(n);ot=i
def ay(t,a,s):ot.count('sentencepiece_bytes','targets',a.numel());h=os[a]+(oh[a]&~ol[t]);return h
def ab(a,h,t,i):
 global ee,ou,od,et,ow,oc;ee=tw(a)
 for l in ee:ty(l)
 od,oc,ow,ou=h,t,1024,i;et=z(ee[0])
def av(t):
 global et;a=[]
 while t>0:
  if not len(et):ee.append(ee.pop(0));et=z(ee[0])
  a.append(et[:t]);et=et[t:];t-=len(a[-1])
 return F.concatenate(a)
def ak():t=av(oc*65537).reshape(oc,-1)[od];t=e.from_numpy(t.astype(int));ou.count('sequential_loader','batches');return t[:-1].reshape(-1,1024),t[1:].reshape(-1,1024)
def ax(l):global oa;n=[{'params':h,'spec':i}for(i,h,r)in l];oa=e.optim.AdamW(n,betas=(.9,.95),eps=1e-08,fused=True)
def aj(n,i):
 for r in oa.param_groups:r['lr']=r['spec'].lr*n.i;r['weight_decay']=r['spec'].weight_decay*n.q
 oa.step();i.count('adam','steps')
def aq(progress,scalars,ledger):t=min(progress.step/500,1.);s=(1-t)*.85+t*.95;ledger.o('momentum_warmup',f"momentum {s:.4f} at step {progress.step}");return scalars._replace(momentum=s)
def az(h,r):global og,oo,om,ea;ea,om=h,r;og=tl();oo=[e.zeros_like(s)for s in h]
def aA():0
def aB(n,i):
 h=[s.numel()for s in ea];m=e.zeros(sum(h),dtype=e.bfloat16,device=c);a=m.split(h)
 for o in range(d,len(ea),l):s,r=ea[o],om[o];t=tc(eg(s),oo[o],n.momentum);t=td(t,r)*tu(s);a[o].copy_(t.flatten())
 em(m);p=.04*n.i
 for(s,r,f)in zip(ea,om,a,strict=True):t=f.view_as(s);s.add_(t,alpha=-p)
 i.count('muon','matrix updates',len(ea));i.count('newton_schulz','matrices',len(ea))
def aC(s,e,h):
 t=s.shape[-2]>s.shape[-1]
 if t:s=s.mT
 s=s/(s.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for r in range(e):a=s@s.mT;n=2.0315*a@a if h else 2.0315*(a@a);s=3.4445*s+(-4.775*a+n)@s
 return s.mT if t else s
def aD(update,steps,scale_first):return aC(update.bfloat16(),steps,scale_first)
def aE(t):
 global K
 if K is None:K=th(aD)
 return K(t,5,True)
def aF(h,r):0
def aG(h,e,n):0
def aH(h,i):i.o('no_average','last weights')
def aI():global oi;oi=n.perf_counter()-J
def aJ(i):
 global J
 if e.cuda.is_available():e.cuda.synchronize()
 J=n.perf_counter()-oi;i.o('wall_clock',f"{J:.3f} seconds")
def aK(r):return 1e3*(n.perf_counter()-oi)
def aL(a):
 if a.m>0:t=1200*(a.f/max(a.step,1));return min(max(a.m-a.f,.0)/max(t,1e-09),1.)
 s=a.y-a.step;return s/1200 if 0<s<=1200 else 1.
def aM(progress,scalars,ledger):t=aL(progress);ledger.o('warmdown_iters',f"multiplier {t:.4f} at step {progress.step}");return scalars._replace(i=scalars.i*t)
class D:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');a,r=aN(tensor.float());return{'codes':a,'step':r}
 def decode(e,name,parts,kind):return ex(parts,kind)
def aN(h):
 if h.ndim==2:t=e.quantile(h.abs(),.9999984,1);r=(t/127).clamp_min(1/127);a=r.half()
 else:t=e.quantile(h.abs().flatten(),.9999984);a=r=t/127 if t>0 else t+1
 t=y(t);return ev(h.clamp(-t,t),r),a
def aO():return Param('blocks.{}.attn.c_q.weight',(512,512),'matrix','attn',C,'layer_matrices',layers=9),Param('blocks.{}.attn.c_k.weight',(256,512),'matrix','attn',C,'layer_matrices',layers=9),Param('blocks.{}.attn.c_v.weight',(256,512),'matrix','attn',C,'layer_matrices',layers=9),Param('blocks.{}.attn.proj.weight',(512,512),'matrix','attn',er,'layer_matrices',layers=9),Param('blocks.{}.mlp.fc.weight',(1024,512),'matrix','mlp',C,'layer_matrices',layers=9),Param('blocks.{}.mlp.proj.weight',(512,1024),'matrix','mlp',er,'layer_matrices',layers=9),Param('skip_weights',(4,512),'scalar','control',i,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',eh,'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',i,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',i,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',tW,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',el,'tied_head','activation',x='head')
def aP():global X;X='causal_attention';eb(tR())
aR=None
J=.0
aS=Group('embed',.05),Group('scalar',.04)
K=None
aT='adam','additive_skips','causal_attention','chunked_eval','cross_entropy','int8','layer_matrices','momentum_warmup','muon','newton_schulz','no_average','qk_gain','relu2','residual_scales','rope','sentencepiece_bytes','sequential_loader','sequential_wiring','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
L={'attn':D(True),'control':D(False),'embed':D(True),'mlp':D(True)}
if __name__=='__main__':tB(aO())