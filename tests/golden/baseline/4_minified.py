import faulthandler,hashlib as F,io,numpy as G,os as H,signal,subprocess,sys as d,time as l,torch as e,torch.distributed as s,torch.nn.functional as I,traceback,zlib
from functools import partial as r
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as J
from typing import NamedTuple as a
def es():
 a=H.environ.get;l=int(a('RANK',0));t=int(a('WORLD_SIZE',1));o=int(a('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8 micro-batches")
 return l,t,o
def er():
 global i,c,n;l,t,o=es();a='gloo';h=e.device('cpu')
 if e.cuda.is_available():a='nccl';h=e.device('cuda',o);e.cuda.set_device(h)
 if t>1:s.init_process_group(a)
 c=l;n=t;i=h
def eh():
 if n>1:s.destroy_process_group()
def el(a):
 if n>1:s.all_reduce(a)
 return a
def ed(value):
 a=[value]*n
 if n>1:s.all_gather_object(a,value)
 return a
def ec(value):
 if n==1:return value
 h=e.tensor(value,dtype=e.float64,device=i);s.all_reduce(h,s.ReduceOp.MAX);return h.item()
def eu(a):
 if a.grad is None:a.grad=e.zeros_like(a)
 return a.grad
def em(l):
 h=[eu(a)for a in l]
 if n>1:
  m=e.cat([t.flatten()for t in h]);s.all_reduce(m);o=(m/n).split([t.numel()for t in h])
  for(t,u)in zip(h,o,strict=True):t.copy_(u.view_as(t))
def ef(o,t):
 if not o.o:return t,
 e=range(o.shape[0]//len(o.o));return tuple(a.format(n)for a in o.o for n in e)
def f(s):
 l=[]
 for o in s:
  if o.o:
   e=range(o.shape[0]//len(o.o))
   for(a,h)in zip(o.o,o.init,strict=True):l+=[(a.format(n),h,o)for n in e]
  else:l+=[(t,o.init,o)for t in o.r()]
 return l
def ep(h,s,d):
 for o in s:
  u=d if o.dtype=='activation'else e.float32
  for t in o.r():
   *l,r=t.split('.');a=h
   for n in l:
    if n not in a._modules:a.add_module(n,J.ModuleList())
    a=a._modules[n]
   a.register_parameter(r,J.Parameter(e.empty(o.shape,dtype=u,device=i)))
def eg(t):n=F.sha256(f"{R}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(n[:7],'little'))
def ew(s,r):
 i=p(m.state_dict(),s)
 for(t,h,u)in f(s):l=e.empty(i[t].shape);h(l,eg(t),r);i[t].copy_(l)
def p(i,s):
 l=[]
 for o in s:
  for t in o.r():l+=i[t].unbind()if o.o else[i[t]]
 return{t:a for((t,u,u),a)in zip(f(s),l,strict=True)}
def ey(tensor,generator,ledger):tensor.zero_()
def g(tensor,generator,ledger):tensor.fill_(1.)
def eb(tensor,generator,ledger,value):tensor.fill_(value)
def ev(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class ek:
 def __init__(e):n=[(m.get_parameter(t),ef(o,t),o)for o in Y for t in o.r()];e.tensors,e.names=w(n);e.replicated=[a for(a,h,o)in n if o.reduction=='replicated'];e.A,e.B=w([l for l in n if l[2].g]);r,d=w([l for l in n if l[2].group=='matrix']);aL(r,d);s=[(i,*w([l for l in n if l[2].group==i.name]))for i in(oe,ot)];aI(s)
 @e.no_grad()
 def step(e,scalars,ledger):
  aM();em(e.replicated);aJ(scalars,ledger);aN(scalars,ledger)
  for a in e.tensors:a.grad=None
def w(n):return[a for(a,h,o)in n],[h for(a,h,o)in n]
def ex(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def ej(t):
 global L
 if L is None:L=ex(oo)
 return L(t.bfloat16()if t.is_cuda else t.float(),5).bfloat16()
def eq(t,h):t=ej(t).contiguous();return t
def ez(a,t,h,s):eA(a,t,.04*s.s)
def eA(a,t,n):a.add_(t,alpha=-n*1.)
def eB(t,a,n):a.mul_(n).add_(t);return t.add(a,alpha=n)
def eC(a):return max(1,a.shape[-2]/a.shape[-1])**.5
def eD():
 t=''
 try:aY()
 except(OSError,ValueError)as h:t=f"{ee}: {h}"
 for(l,a)in enumerate(ed(t)):
  if a:raise ValueError(f"{a} (on rank {l})"if l else a)
def eE(a):
 if a is not None:o(f"prepared {ee}: {a}")
class Param(a):
 name:a;shape:a;group:a;v:a;init:a=None;b:a='';dtype:a='float32';layers:a=0;o:a=();reduction:a='replicated';x:a='';g:a=True;z:a=True;export:a='yes';f:a=0
 def r(e):return[e.name.format(n)for n in range(e.f,e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class y:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def i(e,n,a):e.done[n,'']=a
 def k(e,n):return', '.join(f"{u} {a}".strip()for((t,a),u)in e.done.items()if t==n and u)
def eF(l,n):return(l/b(n)).round().clamp(-127,127).to(e.int8)
def b(n):return n[:,None]if n.ndim else n
def eG(l,n,s):return(l.float()*b(n).float()).to(s)
def eH(l):
 if l.ndim==2:a=e.quantile(l.abs(),.9999984,1);n=(a/127).clamp_min(1/127);t=n.half()
 else:a=e.quantile(l.abs().flatten(),.9999984);t=n=a/127 if a>0 else a+1
 a=b(a);return eF(l.clamp(-a,a),n),t
def eI(o,s):
 if'kept'in o:return o['kept'].to(s)
 return eG(o['codes'],o['step'],s)
def v(t,n,s):
 a=H.environ.get(t,n)
 try:return s(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a value like {n!r}")from None
def eJ():global N,O,u,P,on,Q,R,S,os,oh;a=H.environ.get;N=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');O='export'in d.argv;u=v('ITERATIONS',20000,int);P=v('MAX_WALLCLOCK_SECONDS',6e2,float);on=a('RUN_ID',str(l.time_ns()));Q='score'in d.argv;R=v('SEED',1337,int);S=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');os=v('TRAIN_LOG_EVERY',200,int);oh=v('VAL_LOSS_EVERY',1000,int)
class Score(a):val_loss:a;l:a;j:a;m:a
def eK(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eL(n):l=ea[n].to(i,e.int64);a=l[:,:-1].contiguous();return a,l[:,1:].contiguous(),eM()
def eM():return{}
def eN(t,c,n,h):
 B=n[:,1:];t[B[h]]=c;tD(f"eval: batch {c}");a,l,d=eL(n)
 with e.set_grad_enabled(False):H=oc(a,l,phases=(),fields=d,reduction='none',adapter=None)
 s=aE(a,l,B.to(i));r=h.to(i);m=(H.detach().double()*16777216).round()/16777216;o=m*r,r,s*r;return H,e.stack([u.sum().double()for u in o])
def eO(t,a):
 if n>1:t=t.to(i);s.all_reduce(t,a)
 return t.cpu()
def eP(t,a,o):
 eK(1+(t[1:]==0).nonzero().flatten());m,n,e=el(a).tolist()
 if n>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(m/n,m/.6931471805599453/e,int(n),1e3*(l.perf_counter()-o))
def eQ(scored_at):
 if c==0:l=f"logs/{on}.scores.npz";G.savez_compressed(l,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;f:a
def eR(a):return[Span(l,l+1024,0)for l in range(0,(a-1)//1024*1024,1024)]
def eS(a):return a[len(a)*c//n:len(a)*(c+1)//n]
def eT(r):a=e.are_deterministic_algorithms_enabled();t=r if a else eS(r);n=[t[l:l+64]for l in range(0,len(t),64)];return eS(n)if a else n
def eU(r):
 n=e.zeros(64,1025,dtype=e.int64);h=e.zeros(64,1024,dtype=e.bool)
 for(a,(l,t,s))in enumerate(r):n[a,:t+1-l]=e.arange(l,t+1);h[a,s:t-l]=True
 return n,h
def eV(r):
 o=l.perf_counter();m.eval();t=e.zeros(len(ea),dtype=e.int32);a=e.zeros(3,dtype=e.float64,device=i)
 for(u,d)in enumerate(eT(r),1):n,h=eU(d);a+=eN(t,u,n,h)[1]
 m.train();t=eO(t,s.ReduceOp.MAX);return eP(t,a,o),t
def eW():return{t:o.v for(t,u,o)in f(Y)if o.export!='drop'}
def eX(i,s,u=0):
 l=e=eW();n={}
 for(t,r)in l.items():a=i[t];d=s.get(t,{});o=M[r].encode(t,a,d,h);n[t]=eY(t,i[t],o,r,e[t])
 return eZ(n)
def eY(t,a,o,r,e):
 h=a
 for l in(o,{'kept':h}):
  if a.isfinite().all()and ta(t,l,r,a.dtype).isfinite().all():return{s:u.cpu()for(s,u)in l.items()}
 raise ValueError(f"{t} does not stay finite: nothing is exported")
def eZ(n):return n
def te(n):return az(aj(n))
def tt(data,i):
 t=2**20+sum(8*a.numel()+4096 for a in i.values())
 try:return aq(aA(data,t))
 except Exception as h:raise ValueError(f"the artifact cannot be read: {str(h)[:99]!r}")from h
def ta(t,o,r,s):a=M[r].decode(t,o,s);return a
def to(n,i):
 l=eW()
 if n.keys()!=l.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,r)in l.items():
  try:a=ti(t,n[t],r,i[t].dtype)
  except Exception as h:raise ValueError(f"the artifact's {t} cannot be decoded: {h!r}")from h
  if a.shape!=i[t].shape:raise ValueError(f"{t}: shape {[*a.shape]}, wanted {[*i[t].shape]}")
  i[t].copy_(a)
def ti(t,o,r,s):return ta(t,o,r,s)
def tn(a):
 global T,U,ol;ol=c;T=c==0;t('logs').mkdir(exist_ok=True);U=t('logs',a+'.txt')
 if T and not O:U.write_text('')
 d.excepthook=r(tr,U);faulthandler.register(signal.SIGTERM,U.open('a'),chain=True)
def o(a):
 if T:
  print(a,flush=True)
  with U.open('a')as n:print(a,file=n)
def ts(a):
 if T:o(f"error: {a}")
 elif a not in U.read_text():
  with U.open('a')as n:print(f"rank {ol}: error: {a}",file=n)
def tr(path,kind,h,trace):
 with path.open('a')as n:traceback.print_exception(h,file=n)
 d.__excepthook__(kind,h,trace)
def th():
 n=F.sha256(t(d.argv[0]).read_bytes()).hexdigest();a=f"hardware:{H.uname().machine} CPU, {e.get_num_threads()} threads"
 if i.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 o(f"Running Python {d.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{n}\n{a}")
def k():return len(t(d.argv[0]).read_bytes())
aZ='final_model.pt'
def x():return M['mlp'].name
def tl():return t(f"final_model.{x()}.ptz")
def td(n):
 i=p(m.state_dict(),Y)
 if c==0:t('final_export.pt').unlink(missing_ok=True);j(r(e.save,i),'final_model.pt')
 s=tf()
 if c==0:l=s,h.done,Z,et,W;j(r(e.save,l),'final_export.pt')
 tc(i,s)
def tc(i,s):
 a=tG();B('diagnostic','val');o(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.l:.8f} eval_time:{a.m:.0f}ms")
 if c==0:tp(i,s)
 ec(.0);tw()
def j(e,l):
 a=t('final_model.tmp')
 try:
  e(a)
  with a.open('rb')as n:H.fsync(n.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def tu():
 global W,et,Z;i=p(m.state_dict(),Y);n=tm('final_model.pt');l=tm('final_export.pt');e=[t for t in i if t not in n or n[t].shape!=i[t].shape]
 if e:raise ValueError(f"final_model.pt is of another model: {e[0]} is missing or has another shape")
 for(t,a)in i.items():a.copy_(n[t])
 s,o,Z,et,W=l;h.done.update(o);tC(W);tc(i,s)
def tm(l):
 try:return e.load(l,i,weights_only=True)
 except OSError:raise
 except Exception as h:raise ValueError(f"{l} is damaged: {str(h)[:99]!r}")from h
def tf():global V;s={};V=False;return s
def tp(i,s):n=eX(i,s,k());B('quantize','none');d=te(n);B('compress','none');j(r(t.write_bytes,data=d),tl());l=f"{x()}+zlib";o(f"Serialized model: {t(aZ).stat().st_size} bytes\nCode size: {k()} bytes\nSerialized model {l}: {len(d)} bytes\nTotal submission size {l}: {len(d)+k()} bytes")
def tg():
 i=p(m.state_dict(),Y)
 for a in i.values():a.zero_()
 d=tl().read_bytes();n=F.sha256(d).hexdigest()
 if Q:
  e=''.join(l.read_text()for l in t('logs').glob('*.txt'))
  if'artifact_sha256:'in e and n not in e:raise ValueError('the artifact is not that of the logs in logs/')
 o('artifact_sha256:'+n);to(tt(d,i),i)
def tw():
 n=x()
 if i.type=='cuda':e.cuda.reset_peak_memory_stats()
 tg();B('decode','none');a,t=eV(eR(len(ea)));B('score','val');ty(f"{n}_zlib_roundtrip",a);eQ(t);h.count('chunked_eval','targets',a.j);o(f"eval: peak memory allocated: {e.cuda.max_memory_allocated()>>20} MiB")
def ty(l,a):o(f"final_{l} val_loss:{a.val_loss:.4f} val_bpb:{a.l:.4f} eval_time:{a.m:.0f}ms\nfinal_{l}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.l:.8f}")
def tb():
 a=[];l=[n for(n,u)in h.done];e=False
 for t in oi:
  s=h.k(t)
  if Q and t not in l:continue
  if s and t not in a:o(f"receipt {t}: {s}")
  else:o(f"error: plugin {t} did nothing");e=c==0
 return e
class Progress(a):step:a;y:a;u:a;c:a;C:a;s:a
class Scalars(a):s:a;q:a;momentum:a
def tv(n,t,l):e=t/l if l>0 else n/max(u,1);return Progress(n,u,t,l,e,1.)
class Context(a):
 ids:a;phases:a;training:a;n:a;memo:a;fields:a;d:a;p:a;ledger:a
 def t(e,n,a,u=1):
  if e.ledger is not None:e.ledger.count(n,a,u)
def q(a):return I.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tk(l):return l
def tx(l,a,s,n,o,t):
 l=tk(l)
 if t.p is not None:t.p(s,n,a)
 return z(I.linear(a,l.to(a.dtype)),a,s,o,t)
def z(l,a,n,o,t):
 if t.d is not None and n in t.d.sites:l=l+t.d.delta(a,n,o)
 return l
def tj(a,t):
 if'rope'not in t.memo:n=a.size(1);o=a.size(3);h=a.device;s=1e4**(-e.arange(0,o,2,dtype=e.float32,device=h)/o);i=e.outer(e.arange(n,dtype=e.float32,device=h),s);t.memo['rope']=i.cos(),i.sin()
 d,u=(m[None,:,None,:].to(a.dtype)for m in t.memo['rope']);l,r=a.chunk(2,-1);return e.cat((l*d+r*u,r*d-l*u),-1)
class GPT(J.Module):
 def __init__(e,s,d):super().__init__();e.records=s;ep(e,s,d)
 def matrices(e):return p(dict(e.named_parameters()),e.records)
 def h(e,a,s,n,o,t):return tx(t.n[f"blocks.{n}.{s}.weight"],a,s,n,o,t)
 def stem(e,ids,ctx):a=I.embedding(ids,ctx.n['tok_emb.weight']);a=z(a,a,'embed',0,ctx);a=q(a);return a
 def w(e,l,t):a=e.stem(l,t);return q(aw(e,a,a,t))
 def logits(e,x,ctx):n=ab(x,ctx);n=ay(n,ctx);return n
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):s=fields or{};h={};fields={**h,**s};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.w(ids,t);n=e.logits(a,t);i=ai(n,targets,reduction,t);return i
def tq(a):
 a=t(a);n=sorted(l for l in a.parent.glob(a.name)if('_bytes_'in l.name)==('_bytes_'in a.name))
 if not n:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return n
def tz(l):
 e=t(l).stat().st_size;a=G.fromfile(l,'<i4',3).tolist()
 if e<=1024 or a!=[20240520,1,(e-1024)/2]:raise ValueError(f"{l}: {e} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def A(l):
 n=G.memmap(l,'<u2','r',1024,tz(l))
 if n.max()>=1024:raise ValueError(f"{l}: token {n.argmax()} is {n.max()}, wanted an id below 1024")
 return n
def tA(a):
 n=G.concatenate([A(l)for l in tq(a)])
 if len(n)<=1024:raise ValueError(f"{a}: {len(n)} tokens, wanted at least 1025")
 return e.from_numpy(n[:(len(n)-1)//1024*1024+1])
def tB():global W,od,X;W=.0;od=X=l.perf_counter()
def tC(t):global od;od=l.perf_counter()-t/1e3
def B(t,data):global W,X;a=1e3*(l.perf_counter()-od);o(f"stage:{t} begin:{W:.0f}ms end:{a:.0f}ms data:{data}");W=a;X=l.perf_counter()
def tD(a):
 global X
 if l.perf_counter()>X+10:X=l.perf_counter();o(a)
def tE(s,r):global et,oc,h,m,Y,Z,ee,ea,V;Y=s;h=r;Z=();ee='';tB();et=False;V=not(Q or O);d=e.bfloat16 if i.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;m=GPT(s,d);ew(s,r);oc=ex(m);a=t(N,'fineweb_val_*.bin');ea=tA(a);aD(r);n=F.sha256(ea.numpy().data).hexdigest();o(f"val_loader:shards pattern={a} tokens:{len(ea)-1}\nval_sha256:{n}")
def C(r):a=t(N,'fineweb_train_*.bin');aF(a,r)
def tF():
 if not V:raise ValueError('training data are closed: training time is over')
 d=aH();a,l=(u.to(i,non_blocking=True)for u in d);return a,l,{}
def tG():return eV(eR(len(ea)))[0]
def tH():a=[()];return a
def tI():
 a,l,d=tF();a,l=a[:1,:512],l[:1,:512];d={t:u[:1,:512]for(t,u)in d.items()};n=tuple(i.name for i in());m(a,l,phases=n,fields=d,ledger=h).backward()
 for o in Y:e=sum(m.get_parameter(t).grad is not None for t in o.r());h.count(o.b,'trained tensors',e)
 m.zero_grad()
def tJ():
 i=m.state_dict();l={t:a.clone()for(t,a)in i.items()};c=ek();s=y();C(s)
 for r in tH():
  for n in range(20):tO(c,r,Scalars(1.,1.,.9),s);o(' '.join((f"warmup_step:{n+1}/20",*r)))
 for(t,a)in i.items():a.copy_(l[t])
 e.manual_seed(R);C(h)
def tK(s):
 try:eJ();er();r=y();tn(ed(on)[0])
 except(OSError,ValueError)as h:print(f"error: {h}",file=d.stderr);d.exit(2)
 e.manual_seed(R);e.backends.cuda.matmul.allow_tf32=True
 if P==0:tM()
 th();o('plugins:'+' '.join(oi));tL(s,r)
 if V:
  tN();tI();tJ();n=tR()
  try:td(n)
  except(OSError,ValueError)as h:ts(str(h));d.exit(f"error: rank {c}: {h}")
 a=tb()or et;eh()
 if a:d.exit(1)
def tL(s,r):
 global Z
 try:
  tE(s,r);eD()
  if O:tu()
  elif Q:Z=tuple(i.name for i in());tw()
  else:C(y())
  return
 except(OSError,ValueError)as h:
  ts(str(h))
  if not O:eh()
  d.exit(2)
def tM():H.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tN():o(f"model_params:{sum(a.numel()for a in m.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{R}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{u} warmup_steps:20 max_wallclock_seconds:{P:.3f}")
def tO(c,o,s,r):
 t=8//n;e=.0
 for u in range(t):a,l,d=tF();i=oc(a,l,phases=o,fields=d)/t;e+=i.detach();i.backward()
 c.step(s,r);return e
def tP(n,t,l):a=tv(n,t,l);s=Scalars(1.,1.,.0);s=aK(a,s);s=aW(a,s);return s
def tQ():return 1e3*P
def tR():
 c=ek();aP();l=tQ();n=0;t=.0;aS()
 while True:
  m=n==u or 0<l<=t
  if m or oh>0 and n%oh==0:
   aT();a=tG();tS(n,f"val_loss:{a.val_loss:.4f} val_bpb:{a.l:.4f}",t)
   if m:break
   aS()
  s=tP(n,t,l);i=tO(c,Z,s,h);n+=1;aQ(n,s);t=ec(aU(n))
  if os>0 and(n<=10 or n%os==0):
   tS(n,f"train_loss:{i:.4f}",t)
   if i!=i:raise ValueError('the training loss is not a number')
 if n<u:o(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{n}/{u}")
 r=e.cuda.max_memory_allocated()>>20;d=e.cuda.max_memory_reserved()>>20;o(f"peak memory allocated: {r} MiB reserved: {d} MiB");aR();tC(t);B('train','train');return n
def tS(n,a,t):o(f"step:{n}/{u} {a} train_time:{t:.0f}ms step_avg:{t/max(n,1):.2f}ms")
def tT(a,o,l,t):t.t('additive_skips','skips');return a+t.n['skip_weights'][l].to(a.dtype)*o
def tU(a,e,n,t):return tV(a,e,n,t)
def tV(a,e,n,t):return ao(a,e,n,t)
def tW(a,s,n,o,t):h=a.h(s,'attn.c_q',n,o,t);i=a.h(s,'attn.c_k',n,o,t);r=a.h(s,'attn.c_v',n,o,t);h=al(q(e.unflatten(h,2,(8,-1))),t);i=al(q(e.unflatten(i,2,(4,-1))),t);r=e.unflatten(r,2,(4,-1));h,i=an(h,i,n,t);l=tU(h,i,r,t);l=a.h(l.flatten(2),'attn.proj',n,o,t);return z(l,s,'attn',o,t)
def tX(a,e,n):h=a.transpose(1,2);i=e.transpose(1,2);r=n.transpose(1,2);t=h.size(1)!=i.size(1);return I.scaled_dot_product_attention(h,i,r,is_causal=True,enable_gqa=t).transpose(1,2)
def tY():
 if i.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return at(),None
def tZ(t,a,e,n):l=t(a,e,n,causal=True,window_size=(-1,0));return l[0]if isinstance(l,tuple)else l
def ae(t,a,e,n):
 if t is not None:return tZ(t,a,e,n)
 return tX(a,e,n)
def at():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def aa():global oa;t,oa=tY();return t
def ao(h,i,r,t):t.t('causal_attention','layers');return ae(oa,h,i,r)
def ai(a,n,reduction,t):t.t('cross_entropy','losses');i=I.cross_entropy(a.flatten(0,1).float(),n.flatten(),reduction=reduction);return i.view_as(n)if reduction=='none'else i
def an(a,e,n,t):t.t('qk_gain','layers');l=t.n[f"blocks.{n}.attn.q_gain"].to(a.dtype);return a*l[:,None],e
def ar(a,s,n,o,t):t.t('relu2','layers');l=I.relu(a.h(s,'mlp.fc',n,o,t)).square();return a.h(l,'mlp.proj',n,o,t)
def ah(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def al(a,t):t.t('rope','rotations');return tj(a,t)
def ad(a,s,n,t):l=t.n[f"blocks.{n}.resid_mix"].to(a.dtype);return l[0]*a+l[1]*s
def ac(a):t=q(a);return t
def au(a,s,n,o,t):l=tW(a,s,n,o,t);return t.n[f"blocks.{n}.attn_scale"].to(s.dtype)*l
def am(a,s,n,o,t):l=ar(a,s,n,o,t);l=z(l,s,'mlp',o,t);return t.n[f"blocks.{n}.mlp_scale"].to(s.dtype)*l
def af(a,e,s,n,o,t):l=ad(e[0],s,n,t);l=l+au(a,ac(l),n,o,t);return l+am(a,ac(l),n,o,t),
def ap(e,o,l,n,t):
 if o is None:return e
 return tT(e[0],o,l,t),*e[1:]
def ag(a,e,s,t):
 r,i=av();t.t('unet_plan','steps over 9 layers',len(r)+len(i));h=[]
 for(o,n)in enumerate(r):e=af(a,e,s,n,o,t);h.append(e[0])
 for(l,n)in enumerate(i):e=ap(e,h.pop()if h else None,l,n,t);e=af(a,e,s,n,len(r)+l,t)
 return e
def aw(a,n,l,t):t.t('sequential_wiring','walks');return ag(a,(n,),l,t)[0]
def ay(a,t):t.t('tanh_softcap','caps');return 3e1*e.tanh(a/3e1)
def ab(n,t):t.t('tied_head','heads');return tx(t.n['tok_emb.weight'],n,'head',0,0,t)
def av():e=tuple(range(9));return e[:len(e)//2],e[len(e)//2:]
def D(tensor,generator,ledger):t=tensor.shape[-1]**-.5;tensor.uniform_(-t,t,generator=generator);ledger.count('uniform_init','matrices')
def ak(n):a=io.BytesIO();l={d.intern(t):{d.intern(s):u for(s,u)in o.items()}for(t,o)in n.items()};e.save(l,a);return a.getvalue()
def ax(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aj(n):d=ak(n);h.i('torch_save',f"{len(n)} tensors in {len(d)} bytes");return d
def aq(data):return ax(data)
def az(data):m=zlib.compress(data,9);h.i('zlib',f"{len(data)} -> {len(m)} bytes");return m
def aA(data,t):
 i=zlib.decompressobj();a=i.decompress(data,t)
 if not i.eof or i.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def aB():
 try:a=SentencePieceProcessor(S)
 except(OSError,RuntimeError)as h:raise OSError(f"{S}: not a SentencePiece model")from h
 if len(a)>1024:raise ValueError(f"{S} has {len(a)} pieces, wanted at most vocab_size=1024")
 if a.piece_to_id('\u2581')==a.unk_id():raise ValueError(f"{S}: U+2581 is not a piece of its own")
 return a
def aC(a):
 n=[(0,0,1)]*1024
 for t in range(len(a)):
  if not(a.is_control(t)or a.is_unknown(t)or a.is_unused(t)):l=a.id_to_piece(t);s=l.startswith('\u2581');n[t]=1 if a.is_byte(t)else len(l.encode())-3*s,s,0
 return e.tensor(n).T
def aD(r):
 global ox,ok,ou,ov
 if any(t(N).glob('*_bytes_*')):raise ValueError(f"{N}: it has byte side files, build with the plugin that reads them")
 a=aC(aB());ov,ok,ox=a.to(i);ou=r
def aE(t,a,n):ou.count('sentencepiece_bytes','targets',a.numel());s=ov[a]+(ok[a]&~ox[t]);return s
def aF(a,r):
 global eo,op,om,ei,of;eo=tq(a)
 for l in eo:tz(l)
 om=c;of=n;op=r;ei=A(eo[0])
def aG(a):
 global ei;o=[]
 while a>0:
  if not len(ei):eo.append(eo.pop(0));ei=A(eo[0])
  o.append(ei[:a]);ei=ei[a:];a-=len(o[-1])
 return G.concatenate(o)
def aH():t=aG(of*65537).reshape(of,-1)[om];t=e.from_numpy(t.astype(int));op.count('sequential_loader','batches');return t[:-1].reshape(-1,1024),t[1:].reshape(-1,1024)
def aI(s):global og;o=[{'params':l,'spec':i}for(i,l,h)in s];og=e.optim.AdamW(o,betas=(.9,.95),eps=1e-08,fused=True)
def aJ(s,r):
 for l in og.param_groups:l['lr']=l['spec'].lr*s.s;l['weight_decay']=l['spec'].weight_decay*s.q
 og.step();r.count('adam','steps')
def aK(a,s):t=min(a.step/500,1.);n=(1-t)*.85+t*.95;h.i('momentum_warmup',f"momentum {n:.4f} at step {a.step}");return s._replace(momentum=n)
def aL(l,h):global oj,oy,ow,en;en=l;ow=h;oj={};oy=[e.zeros_like(a)for a in l]
def aM():0
def aN(s,r):
 d=[a.numel()for a in en];m=e.zeros(sum(d),dtype=e.bfloat16,device=i);o=m.split(d)
 for l in range(c,len(en),n):a,h=en[l],ow[l];t=eB(eu(a),oy[l],s.momentum);t=eq(t,h)*eC(a);o[l].copy_(t.flatten())
 el(m)
 for(a,h,u)in zip(en,ow,o,strict=True):ez(a,u.view_as(a),h,s)
 r.count('muon','matrix updates',len(en));r.count('newton_schulz','matrices',len(en))
def aO(a,steps,scale_first):
 n=a.shape[-2]>a.shape[-1]
 if n:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for u in range(steps):t=a@a.mT;l=2.0315*t@t if scale_first else 2.0315*(t@t);a=3.4445*a+(-4.775*t+l)@a
 return a.mT if n else a
def aP():0
def aQ(e,s):0
def aR():h.i('no_average','last weights')
def aS():global ob;ob=l.perf_counter()-K
def aT():
 global K
 if e.cuda.is_available():e.cuda.synchronize()
 K=l.perf_counter()-ob;h.i('wall_clock',f"{K:.3f} seconds")
def aU(n):return 1e3*(l.perf_counter()-ob)
def aV(a):
 if a.c>0:t=1200*(a.u/max(a.step,1));return min(max(a.c-a.u,.0)/max(t,1e-09),1.)
 n=a.y-a.step;return n/1200 if 0<n<=1200 else 1.
def aW(a,s):t=aV(a);h.i('warmdown_iters',f"multiplier {t:.4f} at step {a.step}");return s._replace(s=s.s*t)
class E:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');l,n=eH(tensor.float());return{'codes':l,'step':n}
 def decode(e,name,parts,kind):return eI(parts,kind)
def aX():return Param('blocks.{}.attn.c_q.weight',(512,512),'matrix','attn',D,'layer_matrices',layers=9),Param('blocks.{}.attn.c_k.weight',(256,512),'matrix','attn',D,'layer_matrices',layers=9),Param('blocks.{}.attn.c_v.weight',(256,512),'matrix','attn',D,'layer_matrices',layers=9),Param('blocks.{}.attn.proj.weight',(512,512),'matrix','attn',ey,'layer_matrices',layers=9),Param('blocks.{}.mlp.fc.weight',(1024,512),'matrix','mlp',D,'layer_matrices',layers=9),Param('blocks.{}.mlp.proj.weight',(512,1024),'matrix','mlp',ey,'layer_matrices',layers=9),Param('skip_weights',(4,512),'scalar','control',g,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',r(eb,value=1.5),'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',g,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',g,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ah,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',r(ev,std=.005),'tied_head','activation',x='head')
oe=Group('embed',.05)
ot=Group('scalar',.04)
def aY():global ee;ee='causal_attention';eE(aa())
oa=None
K=.0
oo=r(aO,scale_first=True)
L=None
oi='adam','additive_skips','causal_attention','chunked_eval','cross_entropy','int8','layer_matrices','momentum_warmup','muon','newton_schulz','no_average','qk_gain','relu2','residual_scales','rope','sentencepiece_bytes','sequential_loader','sequential_wiring','tanh_softcap','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
M={'attn':E(True),'control':E(False),'embed':E(True),'mlp':E(True)}
if __name__=='__main__':tK(aX())